"""Players, and their way to the live feed."""

from __future__ import annotations

from collections.abc import Iterator

from scoreboard.api import tickets
from scoreboard.api.kept import OF_CHANGES_S
from scoreboard.api.route import Access, Route, Told
from scoreboard.api.shapes import users as shapes
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.table.accounts import KEPT
from scoreboard.api.v1.users import ME_PATH, PATH, ProfileBody, UserRoutes
from scoreboard.api.world import ApiWorld
from scoreboard.security.tickets import LIFETIME_S


def routes(world: ApiWorld) -> Iterator[Route]:
    """Document B's, and what it implies."""
    users = UserRoutes(world)
    oneself = Told(Enveloped[shapes.Oneself])
    yield Route(
        *("GET", ME_PATH, users.me),
        says="What one may see of oneself.",
        answers=(oneself,),
        faults=("USER_NOT_FOUND",),
        access=Access.PLAYER,
    )
    yield Route(
        *("PATCH", ME_PATH, world.kept.around(users.change, OF_CHANGES_S)),
        says="Change one's country or avatar.",
        answers=(Told(Enveloped[shapes.Oneself], headers=KEPT),),
        faults=("USER_BANNED", "USER_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED"),
        idempotent=True,
        access=Access.PLAYER,
        body=ProfileBody,
        example={"country": "GB", "avatar": "https://cdn.example.com/me.png"},
    )
    yield Route(
        *("GET", PATH, users.user),
        says="What everybody may see of a player.",
        answers=(Told(Enveloped[shapes.Player]),),
        faults=("USER_NOT_FOUND",),
        access=Access.SPECTATOR,
    )
    yield Route(
        *("POST", tickets.PATH, world.kept.around(tickets.TicketRoute(world).issue, LIFETIME_S)),
        says="Get a ticket for one connection to the live feed.",
        answers=(Told(Enveloped[shapes.TicketToLive], headers=KEPT),),
        faults=("IDEMPOTENCY_KEY_REUSED",),
        access=Access.PLAYER,
        idempotent=True,
    )
