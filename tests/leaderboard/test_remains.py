"""What is left of a ranking that is over, however it came to its end."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard import actor, ranking, roster
from actors.leaderboard.messages import Apply, CatchUp, Loaded
from actors.leaderboard.ranking import Ranking
from actors.ports import ALL_TIME, BoardId, ScoreFact, StoreUnavailable
from tests.fakes.system import TrioClock
from tests.leaderboard.naive import fact
from tests.leaderboard.stage import Stage, running_stage

DAILY = BoardId("daily")
#: A part of what is let go at once otherwise, but still more than a block of an order.
AT_ONCE = 1024
MANY, PAGE = 4 * AT_ONCE, 1000
MIDNIGHT_S = 32_000


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Ranking]:
    """All rankings that boards make, which this keeps alive: what is let go of them is let go on purpose."""
    monkeypatch.setattr(ranking, "LET_GO_AT_ONCE", AT_ONCE)
    rankings: list[Ranking] = []

    def make() -> Ranking:
        rankings.append(Ranking())
        return rankings[-1]

    monkeypatch.setattr(actor, "Ranking", make)
    monkeypatch.setattr(roster, "Ranking", make)
    return rankings


def held_by(one: Ranking) -> int:
    """How many players it still holds, wherever."""
    return max(len(one._ids), len(one._places), sum(map(len, one._runs)), sum(map(len, one._order._blocks)))


@contextmanager
def glances(look: Callable[[], int]) -> Iterator[list[int]]:
    """What is seen after each step of each task, where it is not what was seen before."""
    seen = [look()]

    class Look(trio.abc.Instrument):
        def after_task_step(self, task: trio.lowlevel.Task) -> None:
            if look() != seen[-1]:
                seen.append(look())

    instrument = Look()
    trio.lowlevel.add_instrument(instrument)
    yield seen
    trio.lowlevel.remove_instrument(instrument)


def require_slow_end(seen: list[int]) -> None:
    """All were there, nobody is any more, and never many of them went at once."""
    assert (max(seen), seen[-1]) == (MANY, 0)
    assert max(one - other for one, other in pairwise(seen)) <= 2 * AT_ONCE


def gains() -> list[ScoreFact]:
    """One of each of many players, today."""
    now_us = TrioClock().now_us()
    return [fact(f"{n}", 1)._replace(points=1, occurred_us=now_us) for n in range(MANY)]


@asynccontextmanager
async def crowded_day(left_s: float = 10_000) -> AsyncIterator[Stage]:
    """A board of the day with many players, of whom the store knows nothing, so long before the day ends."""
    async with running_stage(boards_idle_after_s=300) as stage:
        await trio.sleep(MIDNIGHT_S - left_s)
        await stage.boards.ask(DAILY, Apply(tuple(gains())), within=60)
        yield stage


def crash(stage: Stage) -> None:
    """End its present incarnation."""
    stage.boards.tell(DAILY, "nonsense")


def read_again(stage: Stage) -> None:
    """From the store, which knows nobody."""
    stage.boards.tell(DAILY, CatchUp())


def nobody_looks(_stage: Stage) -> None:
    """It will be passivated."""


@pytest.mark.parametrize(("end", "after_s"), [(crash, 5), (read_again, 5), (nobody_looks, 900)])
async def test_nobody_waits_for_an_old_ranking_to_be_let_go(
    autojump_clock: MockClock, made: list[Ranking], end: Callable[[Stage], None], after_s: float
) -> None:
    """A piece at a time, others run in between, and at last nothing of it is left, whoever may still hold it."""
    async with crowded_day() as stage:
        (full,) = [each for each in made if held_by(each)]
        with glances(lambda: held_by(full)) as seen:
            end(stage)
            await trio.sleep(after_s)
        require_slow_end(seen)


async def test_a_day_that_is_over_is_let_go_slowly(autojump_clock: MockClock, made: list[Ranking]) -> None:
    """While the new one is there already."""
    async with crowded_day(left_s=1) as stage:
        (full,) = [each for each in made if held_by(each)]
        with glances(lambda: held_by(full)) as seen:
            new = fact("new", 1)._replace(points=1, occurred_us=TrioClock().now_us() + 1_000_000)
            stage.boards.tell(DAILY, Apply((new,)))
            assert await stage.rows(DAILY) == [("new", 1)]
            assert held_by(full) >= MANY - 2 * AT_ONCE
            await wait_all_tasks_blocked()
        require_slow_end(seen)


@pytest.mark.parametrize("pages", range(2, MANY // PAGE + 3))
async def test_a_board_that_was_not_loaded_to_the_end_is_let_go_slowly(
    autojump_clock: MockClock, made: list[Ranking], pages: int
) -> None:
    """The store went away after so many pages; it is begun anew with none of them."""
    async with running_stage(load=False) as stage:
        stage.add(*map(str, range(MANY)))
        stage.store.page = PAGE
        stage.store.reads.fail_before(*[None] * pages, StoreUnavailable("away"))
        with glances(lambda: sum(map(held_by, made))) as seen:
            stage.boards.tell(ALL_TIME, CatchUp())
            await wait_all_tasks_blocked()
        assert seen[-1] == 0
        assert max(seen) == min((pages - 1) * PAGE, MANY)
        assert max(one - other for one, other in pairwise(seen)) <= 2 * AT_ONCE
        assert await stage.boards.ask(ALL_TIME, Loaded(), within=60) == MANY


def test_a_ranking_that_nobody_holds_is_gone_without_the_garbage_collector() -> None:
    """Its parts do not keep it."""
    one = Ranking()
    one.apply(fact("a", 1))
    one.head(3)
    gone = weakref.ref(one)
    del one
    assert gone() is None
