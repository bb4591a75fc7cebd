from __future__ import annotations

import random
from datetime import UTC
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from actors.leaderboard.calendar import span_of
from actors.leaderboard.events import BoardDiff, BoardFull
from actors.leaderboard.messages import Page
from actors.leaderboard.scope import scope_of
from actors.ports import ALL_TIME, BoardId, Period
from actors.user.refusals import TokenExpired
from tests.core.arena import DAYS, LOOKED_AT, SECTIONS, Arena, rows_per_token, running_arena

NAMES = [f"player-{n:02}" for n in range(15)]


@pytest.mark.usefixtures("_one_order_of_tasks")
@pytest.mark.parametrize("seed", range(40))
async def test_everything_comes_right_after_any_trouble(autojump_clock: MockClock, seed: int) -> None:
    """Stores that are away, slow or uncertain; boards, ledgers and audiences that crash; readers that stop.

    What was answered is on disk, nothing counts twice, the board is the sort of the ledger, and every client shows it.
    """
    async with running_arena(seed, NAMES) as arena:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(arena.trouble, 40, 2)
            nursery.start_soon(arena.look, 40)
            for name in NAMES[::3]:
                nursery.start_soon(arena.travel, name, 4)
            for name in NAMES[1::5]:
                nursery.start_soon(arena.judge, name, 4)
            for name in NAMES:
                nursery.start_soon(arena.play, name, arena.rng.randint(1, 12))  # some stop in the middle
            for number in range(5):
                nursery.start_soon(register_later, arena, f"newcomer-{number}", 7.0 * number)
        await trio.sleep(60)
        check_scores(arena)
        await check_board(arena)
        for board in (*SECTIONS, *LOOKED_AT):
            await check_section(arena, board)
        check_clients(arena)


@pytest.fixture
def _one_order_of_tasks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trio shuffles the tasks that may run; the seed decides that too, so that a failure comes again."""
    monkeypatch.setattr("trio._core._run._r", random.Random(seed))
    monkeypatch.setattr("trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING", True)


async def register_later(arena: Arena, name: str, delay_s: float) -> None:
    """Somebody joins in the middle."""
    await trio.sleep(delay_s)
    await arena.register(name)


def check_scores(arena: Arena) -> None:
    """Every accepted token has one durable row, no token has two, and the totals are their sums."""
    counts = rows_per_token(arena.scores)
    assert all(count == 1 for count in counts.values())
    for tried in arena.tried:
        assert bool(tried.answers) <= bool(counts.get(tried.digest)), f"answered but not on disk: {tried}"
        assert not tried.key or tried.answers or tried.refused, f"never answered: {tried}"
        if tried.key and tried.refused is not None:
            assert isinstance(tried.refused, TokenExpired), f"refused for a wrong reason: {tried}"
            assert not counts.get(tried.digest), f"refused and counted: {tried}"
        heard = {(each.new_score, each.previous_rank, each.new_rank) for each in tried.answers}
        assert len(heard) <= 1, f"heard different answers: {tried}"
        assert sum(not each.repeated for each in tried.answers) <= 1
    assert len(arena.scores.ledger) == sum(row.score for row in arena.scores.players.rows.values())


async def check_board(arena: Arena) -> None:
    """The board, and what is published of it, is the sort of the ledger, newcomers included, but for who is hidden."""
    players = [row for row in arena.scores.players.rows.values() if not row.standing.hidden]
    truth = sorted(players, key=lambda row: (-row.score, row.reached_us, row.user_id))
    expected = [(rank, row.user_id, row.score) for rank, row in enumerate(truth, 1)]
    page = await arena.core.boards.ask(ALL_TIME, Page(1000, 0), within=10)
    assert [(row.rank, row.user_id, row.score) for row in page.rows] == expected
    view = arena.core.published.get(ALL_TIME)
    assert view is not None
    assert [(row.rank, row.user_id, row.score) for row in view.rows] == expected
    assert set(arena.joined) <= {row.user_id for row in page.rows}


async def check_section(arena: Arena, board: BoardId) -> None:
    """A board of a period or a country is the sort of what the ledger has of it."""
    scope, now_us = scope_of(board), arena.scores.players.clock.now_us()
    zone = DAYS if scope.period == Period.DAILY else UTC
    span = None if scope.period == Period.ALL_TIME else span_of(scope.period, zone, now_us)
    found = arena.scores._on_board(scope, span, arena.scores.players.rows).shown()
    truth = sorted(
        zip(found.scores, found.reached_us, found.user_ids, strict=True), key=lambda each: (-each[0], *each[1:])
    )
    page = await arena.core.boards.ask(board, Page(1000, 0), within=10)
    assert [(row.score, row.reached_us, row.user_id) for row in page.rows] == truth


def check_clients(arena: Arena) -> None:
    """Every client shows the board; none had to ask again, none was ever led back to an older epoch."""
    for viewer, channel in arena.viewers:
        view = arena.core.published.get(channel.board)
        assert view is not None
        client = viewer.client(channel)
        assert (client.epoch, client.rows, client.total) == (view.epoch, view.rows[: channel.size], view.total)
        assert client.asks == 0
        epochs = [event.epoch for event in viewer.events if isinstance(event, BoardFull | BoardDiff)]
        assert len(list(dict.fromkeys(epochs))) == 1 + sum(a != b for a, b in pairwise(epochs))


async def test_a_point_is_on_every_screen_at_once_when_the_board_was_quiet(autojump_clock: MockClock) -> None:
    """From the answer to the frame no time passes on the virtual clock."""
    async with running_arena(0, ["a", "b"]) as arena:
        await trio.sleep(5)
        await arena.play("b", 1)
        for viewer, channel in arena.viewers:
            if channel.board in (ALL_TIME, BoardId("daily")):
                assert viewer.client(channel).rows[0].user_id == "b"
