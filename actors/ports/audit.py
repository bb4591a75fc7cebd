"""Who did what, when, from where, about whom and why. Scores stand in the ledger; everything else stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from actors.ports.ids import EventId, UserId
from actors.ports.source import NOWHERE, Source


class EventKind(StrEnum):
    """Something was refused, a rule had a consequence, or somebody in charge did something."""

    REFUSAL = "refusal"
    CONSEQUENCE = "consequence"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody in charge, or a rule, does: for what is changed together with its record.

    `event_id` names it for ever: done twice, it counts once. `done_by` says who: ``operator``, ``user:<id>``,
    ``service:<name>`` or ``rule:<name>``; `site` where.
    """

    event_id: EventId
    at_us: int
    kind: EventKind
    done_by: str
    why: str
    source: Source = NOWHERE
    request_id: str | None = None
    site: str | None = None

    def event(self, user_id: UserId, what: str) -> AuditEvent:
        """Its record, without what only who does it knows: what was before, and is now."""
        return AuditEvent(
            *(self.event_id, self.at_us, self.at_us, self.kind, what, self.done_by, user_id),
            *(self.site, self.source, self.why, self.request_id),
        )


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit. `what` is a code, `site` the address or channel where it happened.

    The same thing often is one event with how many `times`, from `at_us` to `until_us`, and where it came from last.
    """

    event_id: EventId
    at_us: int
    until_us: int
    kind: EventKind
    what: str
    done_by: str
    user_id: UserId | None = None
    site: str | None = None
    source: Source = NOWHERE
    why: str | None = None
    request_id: str | None = None
    times: int = 1
    details: Mapping[str, object] = field(default_factory=dict)


class AuditLog(Protocol):
    """Only ever added to."""

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """Write these in one transaction. An event that is there already is passed by. Raises StoreUnavailable."""
        ...

    async def events(
        self, *, user_id: UserId | None = None, since_us: int = 0, limit: int = 100, offset: int = 0
    ) -> list[AuditEvent]:
        """What happened to one player, or to all, since that time; the newest first. Raises StoreUnavailable."""
        ...
