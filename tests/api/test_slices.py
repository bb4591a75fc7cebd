from __future__ import annotations

from typing import Any

import pytest

from actors.leaderboard.events import Row
from actors.leaderboard.messages import Apply
from actors.ports import ALL_TIME, BoardId, ScoreFact, UserId
from scoreboard.api import slices, top
from scoreboard.api.v1 import boards
from scoreboard.wire import rows
from tests.api.v1 import sign_up
from tests.api.world import World

TOP_A, TOP_B = "/api/scores/top", "/api/v1/leaderboard/top"
ENCODERS = {TOP_A: (top, "row_json"), TOP_B: (boards, "full_row_json")}


async def crowd(world: World, count: int, board: str = ALL_TIME, prefix: str = "p") -> None:
    """Put so many players on a board; the first has the most points."""
    now_us = world.clock.now_us()
    facts = [
        ScoreFact(UserId(f"{prefix}{n:03}"), f"Player {n}", 1000 - n, 1, n, 1000 - n, now_us) for n in range(count)
    ]
    await world.given.boards.ask(BoardId(board), Apply(tuple(facts)), within=5)


async def told(world: World, path: str, token: str | None = None) -> dict[str, Any]:
    """The body of a good answer."""
    response = await world.get(path, token=token)
    assert 200 == response.status_code, await response.get_data(as_text=True)
    body: dict[str, Any] = await response.get_json()
    return body


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rank of each row that is encoded for a page of either document."""
    ranks: list[int] = []

    def counting(original: Any) -> Any:
        def encode(row: Row) -> Any:
            ranks.append(row.rank)
            return original(row)

        return encode

    for module, name in ENCODERS.values():
        monkeypatch.setattr(module, name, counting(getattr(rows, name)))
    return ranks


@pytest.mark.parametrize("path", [TOP_A, TOP_B])
async def test_a_slice_of_a_view_is_encoded_once(world: World, made: list[int], path: str) -> None:
    """A thousand readers cost one encoding, until the board changes."""
    await crowd(world, 20)
    for _ in range(5):
        await told(world, path)
        await told(world, path + "?limit=5&offset=10")
    assert 15 == len(made)
    await crowd(world, 1, prefix="q")
    await told(world, path)
    assert 25 == len(made)


async def test_who_is_signed_in_shares_the_slice_of_all_others(world: World, made: list[int]) -> None:
    """Only one's own line is made for oneself, and with it the tag is another."""
    me = await sign_up(world)
    alone, own = await world.get(TOP_B), await world.get(TOP_B, token=me.access)
    assert [1] == made
    ours, mine = [(await each.get_json())["data"] for each in (alone, own)]
    assert {**ours, "currentUser": {"rank": 1, "userId": me.user_id, "username": me.username, "score": 0}} == mine
    assert alone.headers["ETag"] != own.headers["ETag"]


async def test_boards_are_kept_side_by_side(world: World, made: list[int]) -> None:
    """Who looks at one does not make another be encoded again; a change of one changes that one alone."""
    boards_shown = {"daily": 3, "monthly": 2}
    paths = {"daily": f"{TOP_B}?period=DAILY", "monthly": f"{TOP_B}?period=MONTHLY"}
    for board, count in boards_shown.items():
        await crowd(world, count, board)
    for _ in range(3):
        for board, count in boards_shown.items():
            assert count == len((await told(world, paths[board]))["data"]["leaderboard"])
    assert 5 == len(made)
    await crowd(world, 1, "daily", "q")
    for path in paths.values():
        await told(world, path)
    assert 5 + 4 == len(made)


async def test_a_board_that_begins_anew_says_its_new_end(world: World) -> None:
    """What is kept of a view is not told of the next one."""
    await crowd(world, 1, "daily")
    before = (await told(world, f"{TOP_B}?period=DAILY"))["data"]
    world.clock.us += 86_400_000_000
    await crowd(world, 1, "daily", "q")
    after = (await told(world, f"{TOP_B}?period=DAILY"))["data"]
    assert ["p000", "q000"] == [each["leaderboard"][0]["userId"] for each in (before, after)]
    assert before["resetsAt"] < after["resetsAt"]


async def test_no_reader_can_fill_the_memory_with_slices(world: World) -> None:
    """Kept slices are bounded in number, over all boards together."""
    view: Any = world.app.view_functions[TOP_B]
    kept = view.__self__._slices._kept
    await crowd(world, 100)
    for limit in range(1, 101):
        for offset in (0, 1, 2):
            await told(world, f"{TOP_B}?limit={limit}&offset={offset}")
    assert slices.KEPT_SLICES == len(kept)
    await told(world, f"{TOP_B}?limit=1")
    assert [1] == [which.limit for which in list(kept)[-1:]]
