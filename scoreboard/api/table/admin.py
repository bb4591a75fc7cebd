"""For those in charge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from re import compile as pattern

from scoreboard.api.kept import OF_CHANGES_S
from scoreboard.api.query import Matching, Rule, Whole
from scoreboard.api.route import Access, Route, Told
from scoreboard.api.shapes import admin as shapes
from scoreboard.api.shapes.accounts import SessionsEnded
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.table.accounts import KEPT
from scoreboard.api.v1 import admin
from scoreboard.api.world import ApiWorld
from scoreboard.wire.texts import UUID

WHY = "Three reports of the same trick."
ID = Matching(pattern(UUID), "the id of a player")
PAGE: Mapping[str, Rule] = {"userId": ID, "limit": Whole(50, 1, 500), "offset": Whole(0, 0, 1_000_000)}
FINDINGS: Mapping[str, Rule] = {**PAGE, "rule": Matching(pattern(r"[a-z_]{1,32}"), "the name of a rule")}
REFUSED = ("USER_NOT_FOUND",)
_act = partial(Route, "POST", faults=(*REFUSED, "IDEMPOTENCY_KEY_REUSED"), idempotent=True)


def routes(world: ApiWorld) -> Iterator[Route]:
    """What no document names: a game needs somebody who looks after it."""
    managed = admin.AdminRoutes(world)
    yield from _of_players(world, managed)
    yield Route(
        *("GET", admin.AUDIT_PATH, managed.audit),
        says="What happened, the newest first.",
        answers=(Told(Enveloped[shapes.AuditPage]),),
        query=PAGE,
        access=Access.ADMIN,
    )
    yield Route(
        *("GET", admin.FRAUD_PATH, managed.fraud),
        says="What rules of fraud found, the newest first.",
        answers=(Told(Enveloped[shapes.FindingsPage]),),
        query=FINDINGS,
        access=Access.MODERATOR,
    )


def _of_players(world: ApiWorld, managed: admin.AdminRoutes) -> Iterator[Route]:
    once = partial(world.kept.around, keep_s=OF_CHANGES_S)
    yield Route(
        *("GET", admin.USER_PATH, managed.user),
        says="Who a player is, and how it stands.",
        answers=(Told(Enveloped[shapes.ManagedPlayer]),),
        faults=REFUSED,
        access=Access.MODERATOR,
    )
    yield _act(
        *(admin.STANDING_PATH, once(managed.change_standing)),
        says="Flag, restrict, quarantine or ban a player, or lift that.",
        answers=(Told(Enveloped[shapes.StandingChanged], headers=KEPT),),
        access=Access.MODERATOR,
        body=admin.StandingBody,
        example={"banned": True, "reason": WHY},
    )
    yield _act(
        *(admin.SESSIONS_PATH, once(managed.end_sessions)),
        says="Sign a player out everywhere.",
        answers=(Told(Enveloped[SessionsEnded], headers=KEPT),),
        access=Access.MODERATOR,
        body=admin.ReasonBody,
        example={"reason": WHY},
    )
    yield _act(
        *(admin.ROLE_PATH, once(managed.change_role)),
        says="Give a player another role; all its sessions end.",
        answers=(Told(Enveloped[shapes.RoleChanged], headers=KEPT),),
        access=Access.ADMIN,
        body=admin.RoleBody,
        example={"role": "moderator", "reason": "Has looked after the forum for a year."},
    )
