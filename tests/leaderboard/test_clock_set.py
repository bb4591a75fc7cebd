"""Boards of a period while the clock on the wall is set, as time services and people do."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard.calendar import span_of
from actors.leaderboard.events import Channel
from actors.leaderboard.present import HELD_S
from actors.ports import ALL_TIME, BoardId, Period
from actors.runtime import ActorError
from tests.fakes.system import SetClock
from tests.leaderboard.stage import Stage, Watcher, clients_of, running_stage

DAILY, WEEKLY, DAILY_US, WEEKLY_US = BoardId("daily"), BoardId("weekly"), BoardId("daily:US"), BoardId("weekly:US")
PERIODICAL = [DAILY, WEEKLY, DAILY_US, WEEKLY_US]
TODAY, NAMES = Channel(DAILY, 3), "abcde"
#: From the beginning of a test to midnight, UTC: the end of a day and of a week.
MIDNIGHT_S, DAY_S = 32_000, 86_400


@asynccontextmanager
async def stage_at(moment_s: float, *names: str) -> AsyncIterator[tuple[Stage, SetClock]]:
    """So many seconds before midnight (or behind it, below 0)."""
    clock = SetClock()
    async with running_stage(*names, clock=clock, boards_idle_after_s=300) as stage:
        await trio.sleep(MIDNIGHT_S - moment_s)
        yield stage, clock


async def sees(stage: Stage) -> str:
    """Which day the board shows."""
    await stage.rows(DAILY)
    view = stage.published.get(DAILY)
    assert view is not None
    assert view.span is not None
    return view.span.label


async def test_a_clock_that_is_set_back_a_little_over_midnight_ends_no_day_twice(autojump_clock: MockClock) -> None:
    """Who watches is shown one new epoch; what is done in the seconds that come again counts for the day before."""
    async with stage_at(5, "a", "b") as (stage, clock):
        watcher = Watcher()
        await stage.watch(watcher, TODAY)
        await stage.gain("a")
        await trio.sleep(6)
        await stage.gain("b")
        clock.ahead_s = -3
        await stage.gain("a")
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-16", [("b", 1)])
        await trio.sleep(10)
        await stage.gain("a")
        await trio.sleep(2)
        assert await stage.rows(DAILY) == stage.truth_of(DAILY) == [("b", 1), ("a", 1)]
        assert len({update.epoch for update in watcher.seen}) == 2
        assert [(row.user_id, row.score) for row in clients_of(watcher).rows] == [("b", 1), ("a", 1)]


@pytest.mark.parametrize("board", PERIODICAL)
async def test_a_board_that_is_made_in_the_seconds_that_come_again_misses_nothing(
    autojump_clock: MockClock, board: BoardId
) -> None:
    """Neither by a crash nor by a look; what was gained before the clock was set back is on it, once."""
    async with stage_at(5, "a") as (stage, clock):
        await stage.move("a", "US")
        await stage.rows(DAILY)
        await trio.sleep(6)
        await stage.gain("a")
        clock.ahead_s = -3
        stage.boards.tell(DAILY, "nonsense")
        await trio.sleep(1)
        await stage.rows(board)
        await trio.sleep(10)
        await stage.gain("a")
        await trio.sleep(2)
        assert await stage.rows(board) == stage.truth_of(board) == [("a", 2)]


async def test_a_server_that_is_started_in_the_seconds_that_come_again_misses_nothing(
    autojump_clock: MockClock,
) -> None:
    """It cannot know that it was later already, but that something was scored later."""
    async with stage_at(-1, "a") as (stage, _):
        await stage.commit("a", "a")
        rows, ledger = stage.store.players.rows, stage.store.ledger
        before = SetClock(ahead_s=-3)
        async with running_stage(clock=before, load=False) as again:
            again.store.players.rows, again.store.ledger = rows, ledger
            await again.rows(ALL_TIME)
            await again.rows(DAILY)
            await trio.sleep(10)
            await again.gain("a")
            assert await again.rows(DAILY) == again.truth_of(DAILY) == [("a", 3)]


async def test_a_clock_that_is_put_right_by_much_is_followed(autojump_clock: MockClock) -> None:
    """The board shows the day that it is, with all that was gained in it; in the end the next one, with all of that."""
    async with stage_at(DAY_S / 4, "a", "b") as (stage, clock):
        await stage.gain("a")
        assert await sees(stage) == "2025-06-15"
        clock.ahead_s = DAY_S
        await trio.sleep(60)
        await stage.gain("b")
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-16", [("b", 1)])
        clock.ahead_s = 0
        await trio.sleep(60)
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-15", [("a", 1)])
        await trio.sleep(DAY_S / 4)
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-16", [("b", 1)])


async def test_who_changes_country_while_a_board_is_still_in_the_day_before_takes_along_all_points(
    autojump_clock: MockClock,
) -> None:
    """The board did not hear of them, for they were scored in another country; and it asked for another day."""
    async with stage_at(-5, "a") as (stage, clock):
        await stage.move("a", "DE")
        await stage.commit("a")
        clock.ahead_s = -5000
        assert await stage.rows(DAILY_US) == []
        await stage.move("a", "US")
        await trio.sleep(2)
        clock.ahead_s = 0
        await trio.sleep(60)
        assert await stage.rows(DAILY_US) == stage.truth_of(DAILY_US) == [("a", 1)]


async def test_one_whose_clock_is_wrong_by_much_moves_no_board(autojump_clock: MockClock) -> None:
    """What is told to be of tomorrow is shown tomorrow."""
    async with stage_at(2 * HELD_S, "a", "b") as (stage, clock):
        await stage.rows(DAILY)
        await stage.gain("a")
        await wait_all_tasks_blocked()  # so that the board does not look at the clock meanwhile
        clock.ahead_s = 3 * HELD_S
        facts = await stage.commit("b")
        clock.ahead_s = 0
        stage.active.tell(facts)
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-15", [("a", 1)])
        await trio.sleep(2 * HELD_S + 1)
        assert (await sees(stage), await stage.rows(DAILY)) == ("2025-06-16", [("b", 1)])


async def play(stage: Stage, rng: random.Random) -> None:
    """Players gain, and move; what is on disk may be told late."""
    for _ in range(60):
        await trio.sleep(rng.expovariate(2))
        if rng.random() < 0.2:
            await stage.move(rng.choice(NAMES), rng.choice(["US", "DE", None]))
        else:
            facts = await stage.commit(*rng.choices(NAMES, k=rng.randint(1, 3)))
            await trio.sleep(rng.choice([0, 0, 0.01, 0.3]))
            stage.active.tell(facts)


async def disturb(stage: Stage, clock: SetClock, rng: random.Random) -> None:
    """The clock is set, boards crash, and somebody looks."""
    for _ in range(20):
        await trio.sleep(rng.expovariate(0.7))
        board = rng.choice(PERIODICAL)
        match rng.randrange(4):
            case 0:
                clock.ahead_s = rng.uniform(-10, 10)
            case 1 if board in stage.boards.keys:
                stage.boards.tell(board, "nonsense")
            case _:
                with suppress(ActorError):  # it may just have crashed
                    await stage.rows(board)


@pytest.mark.parametrize("seed", range(40))
async def test_every_gain_is_on_a_board_once_whatever_clocks_show_at_the_end_of_a_day(
    autojump_clock: MockClock, seed: int
) -> None:
    """Boards are loaded, crash and rest, players move, and the clock is set, by little, to and fro over midnight."""
    rng = random.Random(seed)
    async with stage_at(20, *NAMES) as (stage, clock):
        stage.store.reads.delay_s, stage.store.page = 0.2, 2
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play, stage, rng)
            nursery.start_soon(disturb, stage, clock, rng)
        await trio.sleep(60)
        clock.ahead_s = 0
        for board in PERIODICAL:
            await stage.rows(board)
        await trio.sleep(5)
        assert span_of(Period.DAILY, UTC, clock.now_us()).label == "2025-06-16"
        for board in PERIODICAL:
            assert await stage.rows(board) == stage.truth_of(board)
