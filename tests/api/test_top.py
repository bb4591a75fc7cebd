from __future__ import annotations

import json
import re
from typing import Any

import pytest
import trio

from actors.leaderboard.messages import Apply
from actors.leaderboard.published import BoardView
from actors.ports import ALL_TIME, ScoreFact, UserId
from scoreboard.wire.browsers import GUARDED
from tests.api.wire import ask
from tests.api.world import World

TOP = "/api/scores/top"


async def crowd(world: World, count: int, prefix: str = "p") -> None:
    """Put so many players on the board; the first has the most points."""
    facts = [ScoreFact(UserId(f"{prefix}{n:03}"), f"Player {n}", 1000 - n, 1, n) for n in range(count)]
    await world.given.boards.ask(ALL_TIME, Apply(tuple(facts)), within=5)


async def told(world: World, path: str) -> dict[str, Any]:
    """The body of a good answer."""
    response = await world.get(path)
    assert 200 == response.status_code, await response.get_data(as_text=True)
    body: dict[str, Any] = await response.get_json()
    return body


async def test_the_board_has_document_a_s_form(world: World) -> None:
    """Rows with five fields, and three facts about the whole."""
    await crowd(world, 3)
    body = await told(world, TOP)
    assert ["leaderboard", "totalUsers", "cacheHit", "timestamp"] == list(body)
    first = {
        "rank": 1,
        "userId": "p000",
        "username": "Player 0",
        "score": 1000,
        "lastUpdated": "1970-01-01T00:00:00.000Z",
    }
    assert first == body["leaderboard"][0]
    assert (3, True, world.clock.now_us() // 1000) == (body["totalUsers"], body["cacheHit"], body["timestamp"])


async def test_a_board_without_players_is_an_empty_list(world: World) -> None:
    """Nobody held it in memory before, and from now on somebody does."""
    first, second = await told(world, TOP), await told(world, TOP)
    assert ([], 0, False, True) == (first["leaderboard"], first["totalUsers"], first["cacheHit"], second["cacheHit"])


async def test_ten_rows_are_shown_unless_asked_otherwise(world: World) -> None:
    """And any other window within the first hundred comes from the view."""
    await crowd(world, 150)
    assert list(range(1, 11)) == [row["rank"] for row in (await told(world, TOP))["leaderboard"]]
    body = await told(world, TOP + "?limit=3&offset=97")
    assert ([98, 99, 100], True, 150) == (
        [row["rank"] for row in body["leaderboard"]],
        body["cacheHit"],
        body["totalUsers"],
    )


@pytest.mark.parametrize(
    ("query", "ranks"), [("limit=4&offset=98", [99, 100, 101, 102]), ("offset=148", [149, 150]), ("offset=150", [])]
)
async def test_deeper_pages_are_asked_of_the_board(world: World, query: str, ranks: list[int]) -> None:
    """Ranks go on where the view ends; behind the last player there is nothing."""
    await crowd(world, 150)
    body = await told(world, f"{TOP}?{query}")
    assert (ranks, False) == ([row["rank"] for row in body["leaderboard"]], body["cacheHit"])


async def test_a_page_behind_the_end_of_a_small_board_needs_no_question(world: World) -> None:
    """The view holds all there is."""
    await crowd(world, 3)
    body = await told(world, TOP + "?limit=100&offset=9007199254740992")
    assert ([], True) == (body["leaderboard"], body["cacheHit"])


async def test_a_score_is_in_the_very_next_answer(world: World) -> None:
    """The view is never stale."""
    me = await world.signed_up("Ada")
    assert 0 == (await told(world, TOP))["leaderboard"][0]["score"]
    await world.point(me)
    assert 1 == (await told(world, TOP))["leaderboard"][0]["score"]


async def test_caches_may_keep_the_board_for_five_seconds(world: World) -> None:
    """As document A has it for its CDN."""
    response = await world.get(TOP)
    assert "public, max-age=5" == response.headers["Cache-Control"]
    assert re.fullmatch(r'W/"[0-9a-f]{24}"', response.headers["ETag"])


async def test_who_has_the_board_already_is_told_so(world: World) -> None:
    """304 without a body, although the moment has changed: the tag covers the rows and the number of players."""
    await crowd(world, 3)
    etag = (await world.get(TOP)).headers["ETag"]
    world.clock.move(30)
    for sent in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        response = await world.get(TOP, headers={"If-None-Match": sent})
        assert (304, b"", etag) == (response.status_code, await response.get_data(), response.headers["ETag"])
    assert 200 == (await world.get(TOP, headers={"If-None-Match": '"other"'})).status_code
    short = await ask(world.app, "GET", TOP, headers=[(b"if-none-match", etag.encode())])
    always = {name.decode() for name, _ in GUARDED} | {"x-request-id"}
    assert {"etag", "cache-control", "vary"} == set(short.headers) - always


async def test_the_tag_changes_with_rows_and_with_the_number_of_players(world: World) -> None:
    """Also when the newcomer is not among those shown."""
    await crowd(world, 3)
    first = (await world.get(TOP + "?limit=2")).headers["ETag"]
    await crowd(world, 4)
    second = (await world.get(TOP + "?limit=2")).headers["ETag"]
    assert first != second


async def test_the_same_rows_have_the_same_tag_from_view_and_board(world: World) -> None:
    """Whether the view was in memory is not part of what is said."""
    await crowd(world, 3)
    from_view = (await world.get(TOP)).headers["ETag"]
    world.given.published.withdraw(ALL_TIME)
    assert from_view == (await world.get(TOP)).headers["ETag"]


async def test_a_view_is_served_without_asking_the_board(world: World) -> None:
    """A board that is stuck in the middle of a message is still shown."""
    world.given.published.publish(BoardView(ALL_TIME, "e", (), 0))
    gate = world.scores.faults.hold()
    with trio.fail_after(10):
        assert 200 == (await world.get(TOP)).status_code
    gate.set()


@pytest.mark.parametrize(
    "query",
    [
        "limit=abc",
        "limit=-1",
        "limit=0",
        "limit=101",
        "limit=",
        "limit",
        "limit=1.0",
        "limit=1e1",
        "limit=+1",
        "limit=%2B1",
        "limit= 1",
        "limit=%D9%A1",
        "limit=1&limit=1",
        "limit=1&limit=2",
        "offset=-1",
        "offset=9007199254740993",
        "offset=" + "9" * 5000,
        "page=1",
        "limit=10&",
        "&",
        "=",
        "limit=%FF",
        "limit=%",
        "%00=1",
        "LIMIT=10",
        "limit[]=10",
        "&".join(f"a{n}=1" for n in range(50)),
        "limit=10;offset=3",
    ],
)
async def test_a_wrong_query_is_refused(world: World, query: str) -> None:
    """400 with the name of the parameter, never a guess."""
    sent = await ask(world.app, "GET", TOP, query=query.encode())
    assert (400, "INVALID_INPUT") == (sent.status, json.loads(sent.body)["code"])
    assert "no-store" == sent.headers["cache-control"]
