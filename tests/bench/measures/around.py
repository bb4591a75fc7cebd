"""What it costs to show players their surroundings as they move."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Self

import trio
from trio.testing import MockClock

from actors.leaderboard.actor import LeaderboardActor
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Apply, JoinAround, Seats
from actors.leaderboard.neighbours import NeighboursActor
from actors.leaderboard.present import Present
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.surroundings import Surroundings
from actors.leaderboard.touched import Ranks
from actors.leaderboard.update import Update
from actors.leaderboard.world import BoardWorld
from actors.ports import ALL_TIME, ScoreFact, UserId
from actors.runtime import Actor, BatchActor, CellOptions, running_actor
from scoreboard.live import DialectB
from tests.bench.accounts import register
from tests.bench.arena import NotShown
from tests.bench.feed import KEEP_ALIVE
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.numbers import read_numbers
from tests.bench.statistics import percentile
from tests.bench.subject import SubjectFactory
from tests.fakes import FakeScoreStore, Players
from tests.fakes.system import CountedIds, TrioClock

NAME = "around"
PLAYERS = 100_000
WATCHERS = 2_000
SCORES_PER_S = 100
SCORERS = 100  # of those who watch
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
    """First the real server, with a connection for each of its players, some of whom score.

    Then the real board and the real actor of neighbours in one process under a virtual clock, without sockets: the
    processor's time for `TICKS` ticks with watchers, less that of the same facts without any, by both ways.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._window_s = options.window_s
        self._scope = ExitStack()
        self._watchers = min(options.viewers * 2, WATCHERS)
        self.figures: tuple[Figure, ...] = (
            Figure("screen_median", "submit to one's own screen, median", "ms"),
            Figure("screen_p99", "submit to one's own screen, p99", "ms", Mark(1200)),
            Figure("lag_max", "longest turn of the server's loop, at most", "ms", Mark(25)),
            Figure("alone", f"processor: server, {SCORES_PER_S} scores/s, nobody watches", "ms/s"),
            Figure("watched", f"processor: server, the same with {self._watchers:,} connections", "ms/s"),
            Figure("touched_ms", f"actors alone, {self._watchers:,} watchers: windows touched", "ms/s"),
            Figure("everybody_ms", f"actors alone, {self._watchers:,} watchers: all windows", "ms/s"),
            Figure("touched_lag", "actors alone, longest turn: windows touched", "ms", Mark(25)),
            Figure("everybody_lag", "actors alone, longest turn: all windows", "ms"),
            Figure("touched_frames", "actors alone, windows that changed: windows touched", "1/s"),
            Figure("everybody_frames", "actors alone, windows that changed: all windows", "1/s"),
        )

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(self._start(**KEEP_ALIVE))
        players = [asdict(each) for each in register(self._subject.port, self._watchers)]
        scorers = players[:: len(players) // SCORERS]
        port = self._subject.port
        self._trickle = self._scope.enter_context(
            Generator("tests.bench.trickle_generator", port=port, players=scorers, socket=True)
        )
        self._around = self._scope.enter_context(Generator("tests.bench.around_generator", port=port, players=players))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All score and watch once; the server alone is measured before anybody watches."""
        self._scores(2.0)
        self._alone, _ = self._scores(self._window_s)
        self._around.ask(connect=self._watchers)
        self._scores(2.0, watched=True)
        _measured(NeighboursActor, 100, ticks=2)

    def _scores(self, seconds: float, *, watched: bool = False) -> tuple[float, list[float]]:
        """The server's processor time in ms for a second of scores, and sorted how long each took to its screen."""
        before = self._subject.usage()
        self._trickle.begin(count=round(SCORES_PER_S * seconds), every_s=1 / SCORES_PER_S)
        seen = self._around.ask(watch_s=seconds + self._subject.tick_s + 0.5) if watched else None
        sent = self._trickle.result()["sent"]
        used_ms = self._subject.usage().since(before).server_s * 1000 / seconds
        return used_ms, [] if seen is None else _own_screens(sent, seen)

    def round(self, number: int) -> Reading:
        """The server; then nobody, and both ways."""
        lag = read_numbers(self._subject.port).lag
        watched, screens = self._scores(self._window_s, watched=True)
        values = {
            "screen_median": percentile(screens, 50),
            "screen_p99": percentile(screens, 99),
            "lag_max": read_numbers(self._subject.port).lag.since(lag).figures()["lag_max"],
            "alone": self._alone,
            "watched": watched,
        }
        alone, _, _ = _measured(NeighboursActor, 0)
        for key, kind in (("touched", NeighboursActor), ("everybody", EverybodyActor)):
            used_s, lag_ms, frames = _measured(kind, self._watchers)
            values |= {
                f"{key}_ms": (used_s - alone) * 1000 / TICKS,
                f"{key}_lag": lag_ms,
                f"{key}_frames": frames / TICKS,
            }
        return Reading(values)


def _own_screens(sent: list[Any], seen: Command) -> list[float]:
    """Sorted, for each score: from the sending to the frame that shows it to the player."""
    shown = {piece["number"]: piece["scores"] for piece in seen["pieces"]}
    arrivals = dict(zip(seen["whose"], seen["arrivals"], strict=True))
    found = []
    for sent_ns, user_id, score in sent:
        at_ns = next((at for at, piece in arrivals[user_id] if shown[piece].get(user_id, -1) >= score), None)
        if at_ns is None:
            raise NotShown(f"the score {score} of {user_id} was not shown")
        found.append((at_ns - sent_ns) / 1e6)
    return sorted(found)


def _measured(kind: type[NeighboursActor], watchers: int, ticks: int = TICKS) -> tuple[float, float, int]:
    """Processor seconds, the longest turn in ms, and frames, after all have joined."""
    turns = Turns()
    return trio.run(_run, kind, watchers, ticks, turns, clock=MockClock(autojump_threshold=0), instruments=[turns])


async def _run(kind: type[NeighboursActor], watchers: int, ticks: int, turns: Turns) -> tuple[float, float, int]:
    rng, clock = random.Random(1), TrioClock()
    world = BoardWorld(
        FakeScoreStore(Players(clock), clock), Present(clock), CountedIds(), PublishedBoards(), set(), lambda _: None
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
