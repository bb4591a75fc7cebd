"""The shapes of answers to those in charge."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from scoreboard.api.shapes import Id, Moment, Name

Role = Literal["user", "premium", "moderator", "admin"]


class _Shape(Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class PlayerStanding(_Shape):
    """What was imposed on a player, and what was earned."""

    flagged: bool
    restricted_until: Moment | None
    quarantined: bool
    banned: bool
    tier: str
    reputation: int


class ManagedPlayer(_Shape):
    """A player as those in charge see it."""

    id: Id
    username: Name
    role: str
    created_at: Moment
    last_active: Moment
    standing: PlayerStanding


class StandingChanged(_Shape):
    """How a player stood, and stands."""

    before: PlayerStanding
    after: PlayerStanding


class RoleChanged(_Shape):
    """Which role a player had, and has."""

    before: str
    after: Role


class AuditedEvent(_Shape):
    """A line of the audit: what was refused or done alike, so many times from `at` until then."""

    id: str
    at: Moment
    until: Moment
    times: int
    kind: str
    what: str
    by: str
    user_id: str | None
    site: str | None
    address: str | None
    agent: str | None
    why: str | None
    request_id: str | None
    details: dict[str, Any]


class AuditPage(_Shape):
    """Lines of the audit, the newest first."""

    events: list[AuditedEvent]
