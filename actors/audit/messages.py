"""What the audit may be told."""

from __future__ import annotations

from dataclasses import dataclass

from actors.ports import NOWHERE, AuditEvent, Source, UserId


@dataclass(frozen=True, slots=True)
class Denied:
    """A request was refused. `code` says why, for programs, `site` where: a route, or a command of the live feed.

    Neither may hold anything that a client made up, for all that were refused alike are counted together. `by` says who
    asked where that is neither the player nor just an address. `times`: so many parts of it were.
    """

    code: str
    site: str
    at_us: int
    user_id: UserId | None = None
    source: Source = NOWHERE
    why: str | None = None
    request_id: str | None = None
    by: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that stands in the audit by itself: an act, a consequence."""

    event: AuditEvent
