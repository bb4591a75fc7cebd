"""Players, and their way to the live feed."""

from __future__ import annotations

from collections.abc import Iterator

from scoreboard.api import shapes, tickets
from scoreboard.api.route import Route, Told, Who
from scoreboard.api.v1.users import ME_PATH, PATH, ProfileBody, UserRoutes
from scoreboard.api.world import ApiWorld


def routes(world: ApiWorld) -> Iterator[Route]:
    """Document B's, and what it implies."""
    users = UserRoutes(world)
    oneself = Told(shapes.Enveloped[shapes.Oneself])
    yield Route(
        *("GET", ME_PATH, users.me),
        says="What one may see of oneself.",
        answers=(oneself,),
        faults=("USER_NOT_FOUND",),
        who=Who.PLAYER,
    )
    yield Route(
        *("PATCH", ME_PATH, users.change),
        says="Change one's country or avatar.",
        answers=(oneself,),
        faults=("USER_BANNED", "USER_NOT_FOUND"),
        who=Who.PLAYER,
        body=ProfileBody,
        example={"country": "GB", "avatar": "https://cdn.example.com/me.png"},
    )
    yield Route(
        *("GET", PATH, users.user),
        says="What everybody may see of a player.",
        answers=(Told(shapes.Enveloped[shapes.Player]),),
        faults=("USER_NOT_FOUND",),
        who=Who.SPECTATOR,
    )
    yield Route(
        *("POST", tickets.PATH, tickets.TicketRoute(world).issue),
        says="Get a ticket for one connection to the live feed.",
        answers=(Told(shapes.Enveloped[shapes.TicketToLive]),),
        who=Who.PLAYER,
    )
