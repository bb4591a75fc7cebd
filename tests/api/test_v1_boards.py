from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from actors.leaderboard.calendar import span_of
from actors.ports import LATEST_US, Period, StoreUnavailable
from scoreboard.security.keys import KeyRing
from scoreboard.wire.times import iso
from tests.api.v1 import OTHER_ACTION, Signed, code_of, scored, sign_up
from tests.api.world import World, running_world

TOP = "/api/v1/leaderboard/top"
DAY_US = 86_400_000_000
PERIODS = ("ALL_TIME", "DAILY", "WEEKLY", "MONTHLY")


def row(world: World, who: Signed, rank: int, **changes: Any) -> dict[str, Any]:
    """A row as document B shows it."""
    player = world.players.rows[who.user_id]  # type: ignore[index]
    return {
        "rank": rank,
        "userId": who.user_id,
        "username": who.username,
        "score": player.score,
        "avatar": player.avatar,
        "country": player.country,
        "lastUpdated": iso(player.reached_us),
        **changes,
    }


async def data_of(world: World, path: str, token: str | None = None) -> dict[str, Any]:
    """What a good answer holds."""
    response = await world.get(path, token=token)
    told = await response.get_json()
    assert 200 == response.status_code, told
    assert {"success": True, "data": told["data"]} == told
    data: dict[str, Any] = told["data"]
    return data


async def settle(world: World, me: Signed, **body: Any) -> None:
    """Say where one is from, and what one looks like."""
    headers = {"Authorization": f"Bearer {me.access}"}
    assert 200 == (await world.app.test_client().patch("/api/v1/users/me", json=body, headers=headers)).status_code


async def test_the_top_is_shown_as_document_b_has_it(world: World) -> None:
    """The whole body: for who is signed in with one's own line, for others without."""
    ada, bob = await sign_up(world), await sign_up(world, "Bob")
    await scored(world, bob)
    await settle(world, bob, country="US", avatar="https://cdn.example.com/bob.jpg")
    expected = {
        "leaderboard": [row(world, bob, 1), row(world, ada, 2)],
        "totalUsers": 2,
        "period": "ALL_TIME",
        "generatedAt": iso(world.clock.now_us()),
    }
    own = {"rank": 2, "userId": ada.user_id, "username": "Ada", "score": 0}
    assert expected == await data_of(world, TOP)
    assert {**expected, "currentUser": own} == await data_of(world, TOP, ada.access)
    assert ("https://cdn.example.com/bob.jpg", "US") == (
        expected["leaderboard"][0]["avatar"],  # type: ignore[index]
        expected["leaderboard"][0]["country"],  # type: ignore[index]
    )


async def test_a_page_begins_behind_its_offset_and_may_lie_behind_the_end(world: World) -> None:
    """Also deeper than what is published; behind the end there is nothing."""
    names = [await sign_up(world, f"Player-{number}") for number in range(3)]
    for limit, offset, ranks in ((1, 0, [1]), (2, 1, [2, 3]), (100, 2, [3]), (1, 3, []), (100, 2**53, [])):
        data = await data_of(world, f"{TOP}?limit={limit}&offset={offset}")
        assert (ranks, len(names)) == ([each["rank"] for each in data["leaderboard"]], data["totalUsers"])


@pytest.mark.parametrize("period", PERIODS)
async def test_every_period_and_country_has_its_board(world: World, period: str) -> None:
    """With what was gained in it, those who gained it there, and the moment at which it begins anew."""
    ada, bob, eve = [await sign_up(world, name) for name in ("Ada", "Bob", "Eve")]
    await settle(world, bob, country="US")
    await scored(world, ada)
    await scored(world, bob, OTHER_ACTION)
    data = await data_of(world, f"{TOP}?period={period}", eve.access)
    ranked = {"rank": 3, "userId": eve.user_id, "username": "Eve", "score": 0} if period == "ALL_TIME" else None
    everybody = [row(world, ada, 1), row(world, bob, 2), *([row(world, eve, 3)] if ranked else [])]
    assert (everybody, ranked, period) == (data["leaderboard"], data["currentUser"], data["period"])
    resets = None if ranked else iso(span_of(Period[period], UTC, world.clock.now_us()).end_us)
    assert resets == data.get("resetsAt")
    there = await data_of(world, f"{TOP}?period={period}&country=US")
    assert ([row(world, bob, 1)], "US", resets) == (there["leaderboard"], there["country"], there.get("resetsAt"))
    around = await data_of(world, f"/api/v1/leaderboard/around/{bob.user_id}?period={period}&country=US&above=0")
    assert {**around, "leaderboard": [row(world, bob, 1)], "currentUser": row(world, bob, 1), "totalUsers": 1} == around
    rank = await data_of(world, f"/api/v1/leaderboard/rank/{bob.user_id}?period={period}&country=US")
    assert {**row(world, bob, 1), "percentile": 100.0, "totalUsers": 1, "period": period, "country": "US"} == {
        name: value for name, value in rank.items() if name != "resetsAt"
    }


async def test_who_is_not_on_a_board_has_no_rank_there(world: World) -> None:
    """404, on every way to ask for one player."""
    ada = await sign_up(world)
    for way in ("around", "rank"):
        for query in ("?period=DAILY", "?country=US"):
            refused = await world.get(f"/api/v1/leaderboard/{way}/{ada.user_id}{query}")
            assert (404, "USER_NOT_FOUND", None) == await code_of(refused)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=-1", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=1", "limit"),
        ("offset=-1", "offset"),
        ("offset=9007199254740993", "offset"),
        ("period=YEARLY", "period"),
        ("period=daily", "period"),
        ("period=", "period"),
        ("country=ZZ", "country"),
        ("country=us", "country"),
        ("country=USA", "country"),
        ("country=%00", "country"),
    ],
)
async def test_a_wrong_parameter_is_named(world: World, query: str, field: str) -> None:
    """400 on pages; of the others where they have the parameter."""
    assert (400, "INVALID_INPUT", {"field": field}) == await code_of(await world.get(f"{TOP}?{query}"))
    if field in ("period", "country"):
        for way in ("around", "rank"):
            refused = await world.get(f"/api/v1/leaderboard/{way}/x?{query}")
            assert (400, "INVALID_INPUT", {"field": field}) == await code_of(refused)
    refused = await world.get(f"/api/v1/leaderboard/archive?{query}")
    assert (400, "INVALID_INPUT", {"field": field}) == await code_of(refused)


async def test_an_unknown_parameter_is_refused(world: World) -> None:
    """A typing error never passes in silence."""
    assert (400, "INVALID_INPUT", None) == await code_of(await world.get(f"{TOP}?perod=DAILY"))


async def test_uk_is_taken_for_gb(world: World) -> None:
    """As document B writes it."""
    assert "GB" == (await data_of(world, f"{TOP}?country=UK"))["country"]


async def test_a_page_that_the_client_has_is_not_sent_again(world: World) -> None:
    """Until anything but the date changes; what one sees when signed in is no shared cache's."""
    ada = await sign_up(world)
    first = await world.get(TOP)
    assert ("public, max-age=1", "authorization") == (first.headers["Cache-Control"], first.headers["Vary"])
    own = await world.get(TOP, token=ada.access)
    assert "private, max-age=1" == own.headers["Cache-Control"]
    assert first.headers["ETag"] != own.headers["ETag"]
    world.clock.us += 1_000_000
    again = await world.get(TOP, headers={"If-None-Match": first.headers["ETag"]})
    assert (304, b"", first.headers["ETag"]) == (again.status_code, await again.get_data(), again.headers["ETag"])
    await settle(world, ada, country="US")
    assert 200 == (await world.get(TOP, headers={"If-None-Match": first.headers["ETag"]})).status_code


async def test_boards_that_are_not_public_are_shown_to_who_has_signed_in(ring: KeyRing) -> None:
    """All of document B's; document A's page stays open."""
    async with running_world(ring=ring, public_boards=False) as world:
        ada = await sign_up(world)
        ways = ("top", f"around/{ada.user_id}", f"rank/{ada.user_id}", "archive")
        for way in ways:
            assert (401, "UNAUTHORIZED", None) == await code_of(await world.get(f"/api/v1/leaderboard/{way}"))
            assert 200 == (await world.get(f"/api/v1/leaderboard/{way}", token=ada.access)).status_code
        assert 200 == (await world.get("/api/scores/top")).status_code


async def archived_day(world: World) -> str:
    """A day in which two players scored has gone by and was closed; its label."""
    ada, bob = await sign_up(world), await sign_up(world, "Bob")
    await settle(world, bob, country="US")
    await scored(world, ada)
    await scored(world, bob, OTHER_ACTION)
    span = span_of(Period.DAILY, UTC, world.clock.now_us())
    world.clock.us += DAY_US + LATEST_US
    await world.archive.open(Period.DAILY, [span])
    assert await world.archive.close_next() is not None
    return span.label


async def test_a_day_that_is_over_stays_readable(world: World) -> None:
    """Among all days, and its rows, of everybody or of a country."""
    label = await archived_day(world)
    listed = await data_of(world, "/api/v1/leaderboard/archive?period=DAILY")
    [day] = listed["periods"]
    assert {"periods": [day], "period": "DAILY"} == listed
    assert ("DAILY", label, True, 2) == (day["period"], day["label"], day["final"], day["players"])
    page = await data_of(world, f"/api/v1/leaderboard/archive?period=DAILY&label={label}&limit=1&offset=1")
    [second] = page["leaderboard"]
    assert {"leaderboard": [second], "totalUsers": 2, **day} == page
    assert (2, "Bob", 50) == (second["rank"], second["username"], second["score"])
    there = await data_of(world, f"/api/v1/leaderboard/archive?label={label}&country=US")
    assert {"leaderboard": [{**second, "rank": 1}], "totalUsers": 1, "country": "US", **day} == there


async def test_a_period_that_is_not_archived_is_a_404(world: World) -> None:
    """Also one that never was; a label that is none is a 400, as is a country without one."""
    refused = await world.get("/api/v1/leaderboard/archive?label=1999-01-01")
    assert (404, "NOT_FOUND", {"label": "1999-01-01"}) == await code_of(refused)
    for query, field in (("label=x", "label"), ("period=ALL_TIME", "period"), ("country=US", "country")):
        refused = await world.get(f"/api/v1/leaderboard/archive?{query}")
        assert (400, "INVALID_INPUT", {"field": field}) == await code_of(refused)


async def test_an_archive_that_cannot_be_read_is_a_database_error(world: World) -> None:
    """With the time to wait."""
    world.archive.faults.fail_before(*[StoreUnavailable() for _ in range(9)])  # its keeper reads, too
    refused = await world.get("/api/v1/leaderboard/archive")
    assert (500, "DATABASE_ERROR", None) == await code_of(refused)
    assert "1" == refused.headers["Retry-After"]
