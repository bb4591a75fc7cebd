from __future__ import annotations

from typing import Any

import pytest
from trio.testing import assert_checkpoints, assert_no_checkpoints

from actors.leaderboard.messages import Apply, Loaded
from actors.ports import ALL_TIME, ScoreFact, UserId
from tests.api.world import World

AROUND = "/api/v1/leaderboard/around"


async def crowd(world: World, count: int) -> None:
    """Put so many players on the board; the first has the most points."""
    facts = [ScoreFact(UserId(f"p{n:03}"), f"Player {n}", 1000 - n, 1, n) for n in range(count)]
    await world.given.boards.ask(ALL_TIME, Apply(tuple(facts)), within=5)


async def told(world: World, path: str) -> tuple[int, Any]:
    """Status and body."""
    response = await world.get(path)
    return response.status_code, await response.get_json()


async def test_a_player_is_shown_with_neighbours_in_document_b_s_envelope(world: World) -> None:
    """Rows in order, the player's own once more, and the facts about the whole."""
    await crowd(world, 3)
    status, body = await told(world, f"{AROUND}/p001?above=1&below=0")
    first, second = (
        {
            "rank": n + 1,
            "userId": f"p00{n}",
            "username": f"Player {n}",
            "score": 1000 - n,
            "avatar": None,
            "country": None,
            "lastUpdated": "1970-01-01T00:00:00.000Z",
        }
        for n in range(2)
    )
    assert 200 == status
    generated = body["data"].pop("generatedAt")
    expected = {"leaderboard": [first, second], "currentUser": second, "totalUsers": 3, "period": "ALL_TIME"}
    assert {"success": True, "data": expected} == body
    assert generated.endswith("Z")


@pytest.mark.parametrize(
    ("asked", "ranks"),
    [
        ("p050", range(46, 57)),
        ("p000", range(1, 7)),
        ("p149", range(145, 151)),
        ("p050?above=0&below=0", [51]),
        ("p149?above=100&below=100", range(50, 151)),
    ],
)
async def test_five_rows_on_either_side_unless_asked_otherwise(world: World, asked: str, ranks: Any) -> None:
    """Fewer at both ends of the board."""
    await crowd(world, 150)
    _, body = await told(world, f"{AROUND}/{asked}")
    assert list(ranks) == [row["rank"] for row in body["data"]["leaderboard"]]


async def test_there_is_nothing_around_a_stranger(world: World) -> None:
    """404, with document B's shape of an error."""
    await crowd(world, 1)
    status, body = await told(world, f"{AROUND}/nobody")
    assert (404, False, "USER_NOT_FOUND") == (status, body["success"], body["error"]["code"])


@pytest.mark.parametrize("asked", ["above=101", "below=101", "above=-1", "below=x", "limit=3"])
async def test_what_cannot_be_asked_is_said(world: World, asked: str) -> None:
    """400, and the parameter by name."""
    status, body = await told(world, f"{AROUND}/p000?{asked}")
    assert (400, "INVALID_INPUT") == (status, body["error"]["code"])
    assert asked.partition("=")[0] in body["error"]["message"]


async def test_a_player_is_found_without_waiting_for_anybody(world: World) -> None:
    """No task is switched while the board is whole; while it is not, its actor is asked."""
    await crowd(world, 3)
    with assert_no_checkpoints():
        assert 3 == await world.given.ask_board(ALL_TIME, Loaded())
    world.given.published.shut(ALL_TIME)
    with assert_checkpoints():
        assert 3 == await world.given.ask_board(ALL_TIME, Loaded())


async def test_an_id_may_be_written_in_capitals(world: World) -> None:
    """Wherever a path has one: a UUID is the same in either case."""
    me = await world.signed_up("Ada")
    for path in (
        "/api/scores/user/{}",
        "/api/v1/leaderboard/around/{}",
        "/api/v1/leaderboard/rank/{}",
        "/api/v1/users/{}",
    ):
        assert 200 == (await world.get(path.format(str(me.user_id).upper()))).status_code, path
