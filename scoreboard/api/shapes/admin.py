"""Answers to those in charge."""

from __future__ import annotations

from typing import Any, Literal

from scoreboard.api.shapes.parts import Id, Moment, Name, Shape

Role = Literal["user", "premium", "moderator", "admin"]


class PlayerStanding(Shape):
    """What was imposed on a player, and what was earned."""

    flagged: bool
    restricted_until: Moment | None
    quarantined: bool
    banned: bool
    tier: str
    reputation: int


class ManagedPlayer(Shape):
    """A player as those in charge see it."""

    id: Id
    username: Name
    role: str
    created_at: Moment
    last_active: Moment
    standing: PlayerStanding


class StandingChanged(Shape):
    """How a player stood, and stands."""

    before: PlayerStanding
    after: PlayerStanding


class RoleChanged(Shape):
    """Which role a player had, and has."""

    before: str
    after: Role


class AuditedEvent(Shape):
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


class AuditPage(Shape):
    """Lines of the audit, the newest first."""

    events: list[AuditedEvent]


class Finding(Shape):
    """What a rule found with a player: so often since it told of that player last."""

    id: str
    at: Moment
    user_id: Id
    rule: str
    severity: Literal["low", "medium", "high", "critical"]
    consequence: Literal["log", "flag", "restrict", "quarantine", "ban"]
    explanation: str
    times: int


class FindingsPage(Shape):
    """Findings, the newest first."""

    findings: list[Finding]
