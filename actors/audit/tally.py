"""What was refused, counted by who, why and where. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from actors.audit.messages import Denied
from actors.ports import NOWHERE, AuditEvent, EventId, EventKind, Ids


class _Kind(NamedTuple):
    """Refusals that are counted together; `who` is a player, or an address, or nobody in particular."""

    who: str
    code: str
    site: str


@dataclass(slots=True)
class _Count:
    first_us: int
    times: int
    last: Denied


class Tally:
    """At most `most` kinds of refusals; what is of none of them is counted by code and site alone, whoever it was.

    So a flood from everywhere takes little room here, and few rows there.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[_Kind, _Count] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __repr__(self) -> str:
        return f"<Tally of {len(self._counts)} kinds>"

    def add(self, denied: Denied) -> None:
        """One more."""
        kind = _Kind(_who(denied), denied.code, denied.site)
        count = self._counts.get(kind)
        if count is None and len(self._counts) >= self._most:
            denied = replace(denied, user_id=None, source=NOWHERE, why=None, request_id=None)
            kind = kind._replace(who="many")
            count = self._counts.get(kind)
        if count is None:
            self._counts[kind] = _Count(denied.at_us, denied.times, denied)
        else:
            count.times += denied.times
            count.last = denied

    def take(self, ids: Ids) -> list[AuditEvent]:
        """All of it as events, in the order in which they began; and begin anew."""
        counts, self._counts = self._counts, {}
        return [_event(kind, count, EventId(ids.uuid())) for kind, count in counts.items()]


def _who(denied: Denied) -> str:
    if denied.by is not None:
        return denied.by
    if denied.user_id is not None:
        return f"user:{denied.user_id}"
    return "anybody" if denied.source.address is None else f"address:{denied.source.address}"


def _event(kind: _Kind, count: _Count, event_id: EventId) -> AuditEvent:
    last = count.last
    return AuditEvent(
        event_id,
        count.first_us,
        max(last.at_us, count.first_us),
        EventKind.REFUSAL,
        kind.code,
        kind.who,
        last.user_id,
        kind.site,
        last.source,
        last.why,
        last.request_id,
        count.times,
    )
