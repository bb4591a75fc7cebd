"""Boards, and who stands where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scoreboard.api import around, top
from scoreboard.api.route import Access, Link, Route, Told
from scoreboard.api.scores import ScoreRoutes
from scoreboard.api.shapes import boards as shapes
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.table.accounts import OF_A_PLAYER
from scoreboard.api.v1 import archive, boards
from scoreboard.api.v1.scopes import PAGE, SCOPE
from scoreboard.api.world import ApiWorld

CACHED = ("Cache-Control", "ETag")


def routes(world: ApiWorld) -> Iterator[Route]:
    """Of both documents."""
    yield from _of_a(world)
    yield from _of_b(world)
    yield from _of_one_player(world)


def _rows(where: str) -> tuple[Link, ...]:
    """From a page to who stands on it first."""
    return tuple(Link("GET", path, {"userId": f"{where}/0/userId"}) for path in OF_A_PLAYER)


def _of_a(world: ApiWorld) -> Iterator[Route]:
    yield Route(
        *("GET", "/api/scores/top", top.TopRoute(world).top),
        says="A page of the board of all time.",
        access=Access.ANYBODY,
        answers=(Told(shapes.TopOfA, headers=CACHED, links=_rows("/leaderboard")), Told(None, 304, None, CACHED)),
        query=PAGE,
    )
    yield Route(
        *("GET", "/api/scores/user/{userId}", ScoreRoutes(world).standing),
        says="Where one player stands.",
        answers=(Told(shapes.StandingOfA),),
        access=Access.SPECTATOR,
        faults=("USER_NOT_FOUND",),
    )


def _of_b(world: ApiWorld) -> Iterator[Route]:
    page = Enveloped[shapes.TopOfB]
    yield Route(
        *("GET", boards.TOP_PATH, boards.BoardRoutes(world).top),
        says="A page of a board, and one's own line for who is signed in.",
        answers=(Told(page, headers=CACHED, links=_rows("/data/leaderboard")), Told(None, 304, None, CACHED)),
        query={**PAGE, **SCOPE},
        access=Access.SPECTATOR,
    )
    one = Link("GET", archive.PATH, {"period": "/data/period", "label": "/data/periods/0/label"})
    listed, paged = Enveloped[shapes.ClosedPeriods], Enveloped[shapes.ArchivedPage]
    yield Route(
        *("GET", archive.PATH, archive.ArchiveRoute(world).archive),
        says="Periods that are over; with a label one of them, page by page.",
        answers=(Told((listed, paged), links=(one,)),),
        faults=("NOT_FOUND",),
        query=archive.PARAMETERS,
        access=Access.SPECTATOR,
    )


def _of_one_player(world: ApiWorld) -> Iterator[Route]:
    one: dict[str, Any] = {"faults": ("USER_NOT_FOUND",), "access": Access.SPECTATOR}
    yield Route(
        *("GET", around.PATH, around.AroundRoute(world).around),
        says="One player's line with its neighbours.",
        answers=(Told(Enveloped[shapes.AroundPlayer]),),
        query=around.PARAMETERS,
        **one,
    )
    yield Route(
        *("GET", boards.RANK_PATH, boards.BoardRoutes(world).rank),
        says="One player's line, and the share of players who stand no higher.",
        answers=(Told(Enveloped[shapes.RankOfPlayer]),),
        query=SCOPE,
        **one,
    )
