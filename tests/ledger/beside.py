"""A follower and its listener beside another worker: one store, one event log, and a board that remembers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import trio

from actors.leaderboard.ranking import Ranking
from actors.ledger.follower import FollowerActor, FollowerHooks, FollowerWorld, Lag
from actors.ledger.listener import ListenerActor, ListenerWorld
from actors.ledger.messages import Following, GoToEnd
from actors.ports import ChainId, Committed, OperationId, ScoreFact, ScoreWrite, Source, UserId
from actors.runtime import Ref, running_actor
from tests.fakes import FakeBatches, FakeClock, FakeEventLog, FakeScoreStore, Players
from tests.ledger.office import PATIENT, BoardState, FakeBoard, FakeOthers

HERE, THERE, LATER = ChainId("here"), ChainId("there"), ChainId("later")
LOOK_S = 0.4
_numbers = count(1)


@dataclass
class Beside:
    """The parts, and what another worker does."""

    store: FakeScoreStore
    log: FakeEventLog
    batches: FakeBatches
    board: BoardState
    others: FakeOthers
    lags: list[Lag] = field(default_factory=list)
    healed: list[int] = field(default_factory=list)
    lost: list[int | None] = field(default_factory=list)
    deaf: list[bool] = field(default_factory=list)
    missed: list[Exception] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    ways: list[tuple[str, int]] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    follower: Ref = field(init=False)
    listener: Ref = field(init=False)

    def hooks(self) -> FollowerHooks:
        """All that is told is remembered."""
        return FollowerHooks(
            heard=lambda way, facts: self.ways.append((way, facts)),
            lag=self.lags.append,
            healed=self.healed.append,
            lost=self.lost.append,
            deaf=self.deaf.append,
            missed=self.missed.append,
            rewritten=self.rewritten.append,
        )

    async def commit(self, *names: str, chain: ChainId = THERE) -> tuple[list[ScoreFact], int]:
        """Another worker makes a point durable for each, at once; the facts and the number of their batch."""
        writes = [_write(name) for name in names]
        outcomes = await self.store.beside(chain).commit(writes)
        done = [each for each in outcomes if isinstance(each, Committed)]
        return [each.fact for each in done], done[0].batch

    async def say(self, facts: list[ScoreFact], *batches: int, chain: ChainId = THERE, history: str = "") -> None:
        """It tells the event log."""
        await self.log.beside(chain).append(facts, batches, history)

    async def score(self, *names: str, chain: ChainId = THERE) -> None:
        """It does both."""
        facts, batch = await self.commit(*names, chain=chain)
        await self.say(facts, batch, chain=chain)

    @property
    def level(self) -> bool:
        """Whether the board shows what the store has."""
        rows = self.store.players.rows.values()
        return self.board.scores == {row.user_id: row.score for row in rows if not row.standing.hidden}

    def of(self, way: str) -> int:
        """So many facts came that way."""
        return sum(facts for each, facts in self.ways if each == way)

    def forget(self) -> None:
        """Whatever was told."""
        for told in (self.ways, self.lags, self.healed, self.lost, self.deaf, self.skipped, self.missed):
            told.clear()


def _write(name: str) -> ScoreWrite:
    token = f"token {next(_numbers)}"
    nowhere = Source(None, None)
    return ScoreWrite(
        OperationId(token), UserId(name), 1, "INCREMENT", token.encode(), 2**60, None, b"", nowhere, 2**50, ""
    )


@asynccontextmanager
async def following(*names: str, loaded: bool = False, most_behind: int = 1000, **rhythm: Any) -> AsyncIterator[Beside]:
    """Run both, with these players on the board; the listener has come to the end of the log."""
    clock = FakeClock()
    store = FakeScoreStore(Players(clock), clock, HERE)
    for name in names:
        store.players.add(name)
    beside = Beside(store, FakeEventLog(chain=HERE), FakeBatches(store, HERE), BoardState(store), FakeOthers())
    beside.board.ranking = Ranking()
    for row in store.players.rows.values():
        beside.board.ranking.apply(row.fact())
    async with running_actor("board", lambda: FakeBoard(beside.board), rng=random.Random(0), options=PATIENT) as board:
        world = FollowerWorld(
            beside.batches,
            board,
            beside.others,
            lambda: beside.listener.tell(GoToEnd()),
            beside.hooks(),
            loaded=lambda: loaded,
            look_every_s=LOOK_S,
            most_behind=most_behind,
            **rhythm,
        )
        async with running_actor(
            "follower", lambda: FollowerActor(world), rng=random.Random(0), options=PATIENT
        ) as beside.follower:
            listening = ListenerWorld(beside.log, beside.follower, beside.skipped.append)
            async with running_actor(
                "listener", lambda: ListenerActor(listening), rng=random.Random(0), options=PATIENT
            ) as beside.listener:
                await beside.follower.ask(Following(), within=5)
                await trio.testing.wait_all_tasks_blocked()
                yield beside
