"""Who may do what. What is not named here, nobody may: a role that is unknown has no permission at all."""

from __future__ import annotations

from collections.abc import Mapping

USER, PREMIUM, MODERATOR, ADMIN = "user", "premium", "moderator", "admin"

#: What a service of a game may do, and nothing else. No player has this permission.
SERVICE_ROLE, SEND_BATCHES = "service", "scores:batch"

#: See and change how players stand; give roles and read the audit.
MODERATE, MANAGE = "players.moderate", "players.manage"

#: Score, in whatever way.
SCORE = "score.update"

_PLAYER = (SCORE, "leaderboard.view")

#: The permissions of each role that a player may have, the least first.
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    USER: _PLAYER,
    PREMIUM: _PLAYER,
    MODERATOR: (*_PLAYER, MODERATE),
    ADMIN: (*_PLAYER, MODERATE, MANAGE),
}
ROLES = tuple(PERMISSIONS)


def permissions_of(role: str) -> tuple[str, ...]:
    """What a player of that role may do."""
    return PERMISSIONS.get(role, ())


def beyond(actor: str) -> tuple[str, ...]:
    """The roles whose players somebody in charge may not act on."""
    return tuple(role for role in ROLES if not may_act_on(actor, role))


def may_act_on(actor: str, other: str) -> bool:
    """Whether somebody in charge may change what concerns a player of the other role: it must be a lesser one.

    So nobody acts on oneself or on an equal, and a moderator on no admin.
    """
    if actor not in PERMISSIONS:
        return False
    return other not in PERMISSIONS or ROLES.index(actor) > ROLES.index(other)
