"""A period board in memory at its end: `python -m tests.bench.rollover_board PLAYERS` measures and prints JSON.

The real actor in a process of its own, with the garbage collector as the server has it, and without sockets. A second
such board crashes, and a third is passivated: they are let go in the same way.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
import trio
from trio.testing import wait_all_tasks_blocked

from actors.leaderboard.actor import LeaderboardActor
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import CatchUp, Loaded, Unwatch, Watch
from actors.leaderboard.present import Present
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.remains import Remains
from actors.leaderboard.world import BoardWorld
from actors.ports import EVERYBODY, BoardId, BoardScope, Members, Span
from actors.runtime import CellOptions, Directory, Ref, RestartPolicy, running_actor
from scoreboard.observe.loop_watch import LoopWatch
from scoreboard.server import collector
from tests.bench.rankings.players import Players
from tests.fakes import FakeScoreStore
from tests.fakes import Players as NoPlayers
from tests.fakes.scores import members_of
from tests.fakes.system import CountedIds

BOARD = BoardId("daily")
CHANNEL = Channel(BOARD, 10)
LOAD_WITHIN_S = 120.0
IDLE_S = 1.0
SOON_S = 0.3
POLL_S = 0.0005  # how often the reader looks
QUIET_S = 0.05  # when nothing has been done for so long, everything has been
CRASHED_S = 3.0  # until a board that has crashed is made again, so that what is left of it is told from its load
MS = 1000


class SetClock:
    """The wall clock, running, but set so that a period ends when it is wanted to."""

    def __init__(self) -> None:
        self._ahead_us = 0

    def now_us(self) -> int:
        """See `WallClock`."""
        return time.time_ns() // 1000 + self._ahead_us

    def end_in(self, span: Span, seconds: float) -> float:
        """Let the period end so soon; the moment by `time.perf_counter`."""
        self._ahead_us = span.end_us - round(seconds * 1e6) - time.time_ns() // 1000
        return time.perf_counter() + seconds


class Pages:
    """All players, page by page, each made as it is read."""

    def __init__(self, size: int) -> None:
        self._size, self._told = size, 0
        self._pages = Players(size).pages()

    async def next(self) -> Members | None:
        """See `MemberPages.next`."""
        await trio.lowlevel.checkpoint()
        page = next(self._pages, None)
        if page is None:
            return None
        self._told += len(page)
        return members_of(page, self._told / self._size)


class FullStore(FakeScoreStore):
    """Whatever the period, all have gained something in it."""

    def __init__(self, size: int, clock: SetClock) -> None:
        super().__init__(NoPlayers(clock), clock)
        self._size = size

    @asynccontextmanager
    async def all_members(self, _scope: BoardScope = EVERYBODY, _span: Span | None = None) -> AsyncIterator[Pages]:
        """See `ScoreStore.all_members`."""
        yield Pages(self._size)


@dataclass(slots=True)
class Stage:
    """One board, who reads it and who watches it. `turns` are the lengths of all turns of the loop, in seconds."""

    size: int
    turns: list[float]
    remains: Ref
    clock: SetClock = field(default_factory=SetClock)
    published: PublishedBoards = field(default_factory=PublishedBoards)
    shown: list[float] = field(default_factory=list)
    boards: Directory[BoardId] = field(init=False)

    def __post_init__(self) -> None:
        store = FullStore(self.size, self.clock)
        outside = (store, Present(self.clock), CountedIds(), self.published, set[Channel](), self._show)
        world = BoardWorld(*outside, let_go=self.remains.tell)
        make = lambda board: LeaderboardActor(board, world)  # noqa: E731 - it has no more to say
        options = CellOptions(restarts=RestartPolicy(first_s=CRASHED_S))
        self.boards = Directory("boards", make, rng=random.Random(1), options=options, idle_after_s=IDLE_S)

    def _show(self, _update: object) -> None:
        self.shown.append(time.perf_counter())

    def _epoch(self) -> str | None:
        view = self.published.current(BOARD)
        return None if view is None else view.epoch

    async def _players(self) -> int:
        return await self.boards.ask(BOARD, Loaded(), within=LOAD_WITHIN_S)

    async def load(self) -> None:
        """Have all players on the board, and somebody who watches."""
        self.boards.tell(BOARD, Watch(CHANNEL))
        if await self._players() < self.size:
            self.boards.tell(BOARD, CatchUp())
        while await self._players() < self.size:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(QUIET_S)
        collector.begin()  # what stays is passed by, as in the server
        await trio.sleep(QUIET_S)  # this turn, too, is over
        self.turns.clear()
        self.shown.clear()

    async def roll_over(self) -> dict[str, float]:
        """From the end of the period: the new one at a reader and at who watches, and the old one let go."""
        view = self.published.current(BOARD)
        assert view is not None
        assert view.span is not None
        end = self.clock.end_in(view.span, SOON_S)
        await self._players()  # after every message it sets its alarm
        while self._epoch() == view.epoch:  # noqa: ASYNC110 - a reader is not told, it looks
            await trio.sleep(POLL_S)
        seen = time.perf_counter()
        await wait_all_tasks_blocked(QUIET_S)
        gone = time.perf_counter() - QUIET_S
        moments = {"seen_ms": seen - end, "shown_ms": self.shown[-1] - end, "gone_ms": gone - end}
        return {**{name: s * MS for name, s in moments.items()}, "turn_ms": max(self.turns) * MS}

    async def crash(self) -> dict[str, float]:
        """An incarnation ends: until nothing is left of it, and before it is loaded again."""
        self.boards.tell(BOARD, "nonsense")
        await wait_all_tasks_blocked(QUIET_S)
        return {"crash_turn_ms": max(self.turns) * MS}

    async def passivate(self) -> dict[str, float]:
        """Nobody looks any more: until nothing is left."""
        self.boards.tell(BOARD, Unwatch(CHANNEL))
        self.published.was_looked_at(BOARD)
        while self.boards.live:  # noqa: ASYNC110 - nobody is told
            await trio.sleep(POLL_S * 10)
        await wait_all_tasks_blocked(QUIET_S)
        return {"passive_turn_ms": max(self.turns) * MS}


async def _run(size: int, turns: list[float]) -> dict[str, float]:
    async with running_actor("remains", Remains, rng=random.Random(2)) as remains:
        stage = Stage(size, turns, remains)
        async with stage.boards.running():
            await stage.load()
            values = await stage.roll_over()
            await stage.load()
            values |= await stage.crash()
            await stage.load()
            return values | await stage.passivate()


def main(size: int) -> None:
    """Measure and print."""
    turns: list[float] = []
    collector.begin()
    watch = LoopWatch(turns.append, structlog.get_logger(), warn_above_s=math.inf)
    print(json.dumps(trio.run(_run, size, turns, instruments=[watch])))  # noqa: T201 - it is the answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
