"""A ledger at work: on a fake store, with a board that can be told to fail, and a publisher that remembers."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from actors.leaderboard.messages import Apply, CatchUp, RankMove, Rebuild
from actors.leaderboard.ranking import Ranking
from actors.ledger.actor import LedgerActor
from actors.ledger.messages import Commit, CommitMany, Moves, Publish, Recall, Receipt, Result
from actors.ledger.world import LedgerWorld
from actors.ports import Committed, OperationId, ScoreFact, ScoreWrite, Source, SpentToken, UserId
from actors.runtime import Actor, ActorError, CellOptions, Question, Ref, RestartPolicy, running_actor
from tests.fakes import FakeClock, FakeScoreStore, Player, Players

NOWHERE = Source(None, None)
PATIENT = CellOptions(restarts=RestartPolicy(first_s=0.1, factor=1, jitter=0, max_restarts=1000))


def write(user: str, number: int, *, key: str | None = None, token: str | None = None) -> ScoreWrite:
    """One point; `number` makes its operation and, unless given, its token."""
    spent = token or f"{user}-{number}"
    request = f"request {spent}".encode()
    operation = OperationId(f"{user}/{number}/{key}")
    return ScoreWrite(operation, UserId(user), 1, "INCREMENT", spent.encode(), 2**60, key, request, NOWHERE, 0, "")


def told(results: Sequence[Result], moves: Moves) -> list[object]:
    """Of each row of a batch: score, ranks, and whether it is known; or what kind of refusal it met."""
    rows: list[object] = []
    for result in results:
        if isinstance(result, Committed):
            move = moves.get((result.fact.user_id, result.fact.version))
            rows.append((result.fact.score, move and (move.previous, move.new), result.again))
        else:
            rows.append(type(result))
    return rows


class BoardState:
    """What the board of a test keeps, whichever incarnation serves it, and the switches of its faults."""

    def __init__(self, store: FakeScoreStore) -> None:
        self.store = store
        self.ranking = Ranking()
        self.batches: list[tuple[ScoreFact, ...]] = []
        self.catch_ups = self.rebuilds = 0
        self.faults: deque[Exception | None] = deque()
        self.gate: trio.Event | None = None

    @property
    def scores(self) -> dict[str, int]:
        return {row.user_id: row.score for row in self.ranking.rows(0, 10**6)}


class FakeBoard(Actor):
    """A board that does not forget when it crashes, so that a test sees what has reached it."""

    def __init__(self, state: BoardState) -> None:
        self._state = state

    async def receive(self, message: Any) -> object:
        state = self._state
        if state.gate is not None:
            await state.gate.wait()
        if state.faults and (error := state.faults.popleft()) is not None:
            raise error
        match message:
            case Apply(facts):
                state.batches.append(facts)
                moves = [state.ranking.apply(fact) for fact in facts]
                return tuple(RankMove(move.previous, move.new) for move in moves)
            case CatchUp():
                state.catch_ups += 1
                for player in state.store.players.rows.values():
                    state.ranking.apply(player.fact())
            case Rebuild():
                state.rebuilds += 1
                state.ranking = Ranking()
                for player in state.store.players.rows.values():
                    state.ranking.apply(player.fact())
        return None


class FakePublisher(Actor):
    def __init__(
        self, parts: list[Publish], told: list[ScoreFact], spent: list[SpentToken], gate: list[trio.Event]
    ) -> None:
        self._parts = parts
        self._told = told
        self._spent = spent
        self._gate = gate

    async def receive(self, message: Publish) -> None:
        for event in self._gate:
            await event.wait()
        self._parts.append(message)
        self._told.extend(message.facts)
        self._spent.extend(message.spent)


@dataclass
class FakeOthers:
    """Boards beside, which remember what they were told and when; `due` is set by tests."""

    told: list[tuple[float, tuple[ScoreFact, ...]]] = field(default_factory=list)
    catch_ups: int = 0
    due: float = math.inf

    def tell(self, facts: Sequence[ScoreFact]) -> None:
        if facts:
            self.told.append((trio.current_time(), tuple(facts)))

    def remind(self) -> None:
        if self.due <= trio.current_time():
            self.due = math.inf

    def catch_up(self) -> None:
        self.catch_ups += 1


@dataclass
class Office:
    """The parts, and the verbs of tests."""

    clock: FakeClock
    store: FakeScoreStore
    board: BoardState
    published: list[ScoreFact]
    publisher_gate: list[trio.Event]
    nursery: trio.Nursery
    parts: list[Publish] = field(default_factory=list)  # of what is published
    spent: list[SpentToken] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    on_done: list[Exception] = field(default_factory=list)
    rejected: list[Exception] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    board_ref: Ref = field(init=False)
    ledger: Ref = field(init=False)
    actors: list[LedgerActor] = field(default_factory=list)
    others: FakeOthers = field(default_factory=FakeOthers)

    def batch_done(self, size: int, _seconds: float) -> None:
        self.done.append(size)
        if self.on_done:
            raise self.on_done.pop(0)

    def add(self, *names: str) -> None:
        for name in names:
            self.board.ranking.apply(self.store.players.add(name).fact())

    def player(self, name: str) -> Player:
        return self.store.players.rows[UserId(name)]

    def fact(self, name: str) -> ScoreFact:
        return self.player(name).fact()

    async def commit(self, one: ScoreWrite, within: float = 30) -> Any:
        return await self.ledger.ask(Commit(one), within=within)

    async def receipt(self, one: ScoreWrite, within: float = 30) -> Receipt:
        answer = await self.commit(one, within)
        assert isinstance(answer, Receipt)
        return answer

    def asking(self, message: Question[Any], within: float = 30) -> Asked:
        """Ask in a task of its own."""
        asked = Asked()
        self.nursery.start_soon(asked.ask, self.ledger, message, within)
        return asked

    def committing(self, one: ScoreWrite, within: float = 30) -> Asked:
        return self.asking(Commit(one), within)

    def committing_batch(self, *wishes: ScoreWrite, within: float = 30) -> Asked:
        return self.asking(CommitMany(wishes, told), within)

    async def committing_in_order(self, *wishes: ScoreWrite) -> list[Asked]:
        """Ask for each in a task of its own, one after the other."""
        asked = []
        for one in wishes:
            asked.append(self.committing(one))
            await wait_all_tasks_blocked()
        return asked

    def recall(self, one: ScoreWrite) -> Recall:
        assert one.idempotency_key is not None
        return Recall(one.user_id, one.idempotency_key, one.request_hash)

    @property
    def totals(self) -> dict[str, int]:
        return {name: player.score for name, player in self.store.players.rows.items()}


@dataclass
class Asked:
    """How a question fared: an answer or an error, and when."""

    result: Any = None
    at: float | None = None

    async def ask(self, ref: Ref, message: Question[Any], within: float) -> None:
        try:
            self.result = await ref.ask(message, within=within)
        except ActorError as error:
            self.result = error
        self.at = trio.current_time()


@asynccontextmanager
async def running_office(*, publisher_capacity: int = 1000, **settings: Any) -> AsyncIterator[Office]:
    """Run an office; `settings` go to the `LedgerWorld`."""
    clock = FakeClock()
    store = FakeScoreStore(Players(clock), clock)
    async with trio.open_nursery() as nursery:
        office = Office(clock, store, BoardState(store), [], [], nursery)
        few = CellOptions(capacity=publisher_capacity)
        async with (
            running_actor("board", lambda: FakeBoard(office.board), rng=random.Random(0), options=PATIENT) as board,
            running_actor(
                "publisher",
                lambda: FakePublisher(office.parts, office.published, office.spent, office.publisher_gate),
                rng=random.Random(0),
                options=few,
            ) as publisher,
        ):
            heard: dict[str, Any] = {"rejected": office.rejected.append, "scored": office.counted.append}
            world = LedgerWorld(store, board, office.others, publisher, office.batch_done, **heard, **settings)

            def make() -> LedgerActor:
                office.actors.append(LedgerActor(world))
                return office.actors[-1]

            async with running_actor("ledger", make, rng=random.Random(0), options=PATIENT) as ledger:
                office.board_ref, office.ledger = board, ledger
                yield office
        nursery.cancel_scope.cancel()
