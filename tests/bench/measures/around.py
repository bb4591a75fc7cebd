"""What it costs to show players their surroundings as they move."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import trio
from trio.testing import MockClock

from actors.leaderboard.actor import LeaderboardActor
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Apply, JoinAround, Seats
from actors.leaderboard.neighbours import NeighboursActor
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.surroundings import Surroundings
from actors.leaderboard.touched import Ranks
from actors.leaderboard.update import Update
from actors.leaderboard.world import BoardWorld
from actors.ports import ALL_TIME, ScoreFact, UserId
from actors.runtime import Actor, BatchActor, CellOptions, running_actor
from scoreboard.live import DialectB
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.subject import SubjectFactory
from tests.fakes import FakeScoreStore, Players
from tests.leaderboard.stage import CountedIds, TrioClock

NAME = "around"
PLAYERS = 100_000
WATCHERS = 2_000
SCORES_PER_S = 100
TICKS = 20
SPREAD = 1_000_000  # of scores: some are tied
AROUND = Channel(ALL_TIME, 5, around=True)


class EverybodyActor(NeighboursActor):
    """Looks at all windows in every tick, as if it did not know what facts have touched."""

    async def _touched_by(self, ranks: Sequence[Ranks]) -> list[Surroundings]:
        return list(self._watchers.values())


class Screen:
    """A connection that is up to date: encodes what it is offered, as one with a socket of its own must."""

    def __init__(self) -> None:
        self.frames = self.bytes = 0
        self._dialect = DialectB()
        self._shown: tuple[str | None, int] = (None, 0)

    def offer(self, update: Update) -> bool:
        """Take it."""
        follows = update.follows(*self._shown)
        data = update.step_frames(self._dialect, full=False) if follows else update.full_frames(self._dialect)
        self._shown = update.epoch, update.version
        self.frames += 1
        self.bytes += len(data)
        return True

    def settle(self, seats: Seats) -> None:
        """There are none."""

    def fell_out(self, channel: Channel, shown: Update, rest: bytes) -> None:
        """It has no seat."""


class Turns(trio.abc.Instrument):
    """The longest step of a task, in milliseconds."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._began = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """It begins."""
        self._began = time.perf_counter()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """It ends."""
        self.longest_ms = max(self.longest_ms, (time.perf_counter() - self._began) * 1000)


class AroundMeasure:
    """The real board and the real actor of neighbours in one process under a virtual clock, without sockets.

    The processor's time for `TICKS` ticks with watchers, less that of the same facts without any, by both ways.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._watchers = min(options.viewers * 2, WATCHERS)
        self.figures: tuple[Figure, ...] = (
            Figure("touched_ms", f"processor: {self._watchers:,} watchers", "ms/s", side="windows touched"),
            Figure("everybody_ms", f"processor: {self._watchers:,} watchers", "ms/s", side="all windows"),
            Figure("touched_lag", "longest turn of the loop", "ms", Mark(25), side="windows touched"),
            Figure("everybody_lag", "longest turn of the loop", "ms", side="all windows"),
            Figure("touched_frames", "windows that changed", "1/s", side="windows touched"),
            Figure("everybody_frames", "windows that changed", "1/s", side="all windows"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def warm_up(self) -> None:
        """Once, shortly."""
        _measured(NeighboursActor, 100, ticks=2)

    def round(self, number: int) -> Reading:
        """Nobody, then both ways."""
        alone, _, _ = _measured(NeighboursActor, 0)
        values: dict[str, float] = {}
        for key, kind in (("touched", NeighboursActor), ("everybody", EverybodyActor)):
            used_s, lag_ms, frames = _measured(kind, self._watchers)
            values |= {
                f"{key}_ms": (used_s - alone) * 1000 / TICKS,
                f"{key}_lag": lag_ms,
                f"{key}_frames": frames / TICKS,
            }
        return Reading(values)


def _measured(kind: type[NeighboursActor], watchers: int, ticks: int = TICKS) -> tuple[float, float, int]:
    """Processor seconds, the longest turn in ms, and frames, after all have joined."""
    turns = Turns()
    return trio.run(_run, kind, watchers, ticks, turns, clock=MockClock(autojump_threshold=0), instruments=[turns])


async def _run(kind: type[NeighboursActor], watchers: int, ticks: int, turns: Turns) -> tuple[float, float, int]:
    rng, clock = random.Random(1), TrioClock()
    world = BoardWorld(
        FakeScoreStore(Players(clock), clock), clock, CountedIds(), PublishedBoards(), set(), lambda _: None
    )
    scores = [rng.randrange(SPREAD) for _ in range(PLAYERS)]
    screens = [Screen() for _ in range(watchers)]

    def neighbours() -> NeighboursActor:
        return kind(board, {}, clock=clock, ids=world.ids)

    async with (
        _solo("board", lambda: LeaderboardActor(ALL_TIME, world)) as board,
        _solo("neighbours", neighbours) as around,
    ):
        await board.ask(Apply(tuple(_fact(number, scores, 1) for number in range(PLAYERS))), within=600)
        for number, screen in enumerate(screens):
            user_id = UserId(f"p{number * PLAYERS // max(watchers, 1):06}")
            await around.ask(JoinAround(screen, AROUND, user_id), within=60)
        await trio.sleep(3)
        turns.longest_ms, began, shown = 0.0, time.process_time(), sum(each.frames for each in screens)
        for count in range(ticks * SCORES_PER_S):
            number = rng.randrange(PLAYERS)
            scores[number] += 1
            await board.ask(Apply((_fact(number, scores, count + 2),)), within=60)
            await trio.sleep(1 / SCORES_PER_S)
        used_s = time.process_time() - began
        return used_s, turns.longest_ms, sum(each.frames for each in screens) - shown


def _solo(name: str, make: Callable[[], Actor | BatchActor]) -> Any:
    return running_actor(name, make, rng=random.Random(0), options=CellOptions(capacity=50_000, start_within_s=60))


def _fact(number: int, scores: list[int], version: int) -> ScoreFact:
    return ScoreFact(UserId(f"p{number:06}"), f"player {number}", scores[number], version, version)
