"""A board with its audiences and some connections, on a fake store; clients keep the feed's rule."""

from __future__ import annotations

import itertools
import math
import pickle
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import trio
from trio.testing import wait_all_tasks_blocked

from actors.leaderboard.active import ActiveBoards
from actors.leaderboard.actor import LeaderboardActor
from actors.leaderboard.audience import AudienceActor
from actors.leaderboard.calendar import span_of
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import AROUND, BoardEvent, Channel
from actors.leaderboard.loading import Loading
from actors.leaderboard.messages import Apply, Join, Leave, Loaded, Page, RankMove, Seats, Show, Subscriber
from actors.leaderboard.neighbours import NeighboursActor, Watchers
from actors.leaderboard.present import Present
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.remains import Remains
from actors.leaderboard.scope import scope_of
from actors.leaderboard.update import Update
from actors.leaderboard.world import BoardWorld
from actors.ports import (
    ALL_TIME,
    Act,
    BoardId,
    BoardPart,
    EventId,
    EventKind,
    Period,
    ProfileChange,
    ScoreFact,
    ScoreWrite,
    Span,
    StandingChange,
    Stood,
    UserId,
)
from actors.runtime import ActorError, CellOptions, Directory, Ref, RestartPolicy, running_actor
from tests.fakes import FakeProfileStore, FakeScoreStore, FakeStandingStore, Players
from tests.fakes.system import CountedIds, TrioClock
from tests.leaderboard.naive import Client
from tests.ledger.office import write

TOP3 = Channel(ALL_TIME, 3)
FAST = CellOptions(restarts=RestartPolicy(first_s=0.1, factor=1, jitter=0, max_restarts=100_000))


class Pickles:
    """A wire format that a test can read again; counts what it encodes."""

    name = "pickles"

    def __init__(self) -> None:
        self.encoded = 0

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        self.encoded += 1
        return pickle.dumps(tuple(events))


class Watcher:
    """A subscriber that takes everything at once, but as a connection does nothing that it has seen.

    `present` turns False when it goes.
    """

    def __init__(self) -> None:
        self.seen: list[Update] = []
        self.times: list[float] = []
        self.present = True

    def offer(self, update: Update) -> bool:
        known = (update.full.epoch, update.full.version) in self.steps[-1:]
        if self.present and not known:
            self.seen.append(update)
            self.times.append(trio.current_time())
        return self.present

    def settle(self, seats: Seats) -> None:
        """It is content to be offered each step."""

    def fell_out(self, channel: Channel, shown: Update, rest: bytes) -> None:
        raise AssertionError("it never had a seat")

    @property
    def steps(self) -> list[tuple[str, int]]:
        return [(each.full.epoch, each.full.version) for each in self.seen]


@dataclass
class Stage:
    """The parts, and the verbs of tests."""

    store: FakeScoreStore
    published: PublishedBoards
    watched: set[Channel]
    crowds: dict[Channel, Crowd] = field(default_factory=dict)
    boards: Directory[BoardId] = field(init=False)
    audiences: Directory[str] = field(init=False)
    board: Ref = field(init=False)
    shown: list[Update] = field(default_factory=list)
    loadings: list[Loading] = field(default_factory=list)
    deaf: bool = False
    delivered: int = 0
    skipped: int = 0
    watchers: dict[BoardId, Watchers] = field(default_factory=dict)
    looks: list[int] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    parts: list[BoardPart] = field(default_factory=list)
    active: ActiveBoards = field(init=False)

    def world(self, clock: TrioClock, tick_s: float, zones: Mapping[Period, tzinfo], remains: Ref) -> BoardWorld:
        """What the boards need from outside."""
        return BoardWorld(
            self.store,
            Present(clock),
            CountedIds(),
            self.published,
            self.watched,
            self.broadcast,
            tick_s,
            self.loadings.append,
            zones,
            mirror=self.parts.append,
            let_go=remains.tell,
        )

    def crowd(self, channel: Channel = TOP3) -> Crowd:
        """Who watches a channel."""
        return self.crowds.setdefault(channel, Crowd(channel, self._count, self._count_skipped))

    def _count(self, delivered: int) -> None:
        self.delivered += delivered

    def _count_skipped(self, skipped: int) -> None:
        self.skipped += skipped

    def broadcast(self, update: Update) -> None:
        if self.deaf:
            raise ActorError("the audience is deaf")
        self.shown.append(update)
        self.audiences.tell(update.channel.key, Show(update))

    def add(self, *names: str) -> None:
        for name in names:
            self.store.players.add(name)

    async def commit(self, *names: str, ago_s: float = 0) -> tuple[ScoreFact, ...]:
        """One point for each of these, done so long ago, on disk only."""
        occurred_us = self.store.players.clock.now_us() - round(ago_s * 1_000_000)
        writes: list[ScoreWrite] = [write(name, next(self.numbers))._replace(occurred_us=occurred_us) for name in names]
        outcomes = await self.store.commit(writes)
        return tuple(outcome.fact for outcome in outcomes)  # type: ignore[union-attr]

    async def apply(self, *facts: ScoreFact) -> tuple[RankMove, ...]:
        return await self.board.ask(Apply(facts), within=60)

    async def score(self, *names: str) -> tuple[RankMove, ...]:
        """One point for each of these, on disk and on the board."""
        return await self.apply(*await self.commit(*names))

    async def gain(self, *names: str, ago_s: float = 0) -> tuple[ScoreFact, ...]:
        """The same, told to all boards that are in memory beside that of everybody's totals."""
        facts = await self.commit(*names, ago_s=ago_s)
        self.active.tell(facts)
        return facts

    async def move(self, name: str, country: str | None) -> None:
        """Change a player's country, and tell these boards."""
        fact = await FakeProfileStore(self.store.players).change_profile(UserId(name), ProfileChange(country=country))
        assert isinstance(fact, ScoreFact)
        self.active.tell([fact])

    async def stand(self, name: str, **changed: bool) -> ScoreFact:
        """Change how a player stands, and tell all boards."""
        act = Act(EventId(f"act {next(self.numbers)}"), 0, EventKind.ACT, "operator", "for a test")
        store = FakeStandingStore(self.store.players)
        stood = await store.change_standing(UserId(name), StandingChange(**changed), act)  # type: ignore[arg-type]
        assert isinstance(stood, Stood)
        self.active.tell([stood.fact])
        await self.apply(stood.fact)
        return stood.fact

    async def rows(self, board: BoardId) -> list[tuple[str, int]]:
        """Players and scores of any board."""
        answer = await self.boards.ask(board, Page(1000, 0), within=600)
        return [(row.user_id, row.score) for row in answer.rows]

    def truth_of(self, board: BoardId, period: Span | None = None) -> list[tuple[str, int]]:
        """The same as the store has it."""
        scope = scope_of(board)
        if scope.period != Period.ALL_TIME and period is None:
            period = span_of(scope.period, UTC, self.store.players.clock.now_us())
        found = self.store._on_board(scope, period, self.store.players.rows).shown()
        order = sorted(zip(found.scores, found.reached_us, found.user_ids, strict=True), key=lambda x: (-x[0], *x[1:]))
        return [(user_id, score) for score, _, user_id in order]

    async def watch(self, watcher: Subscriber | None = None, channel: Channel = TOP3) -> None:
        """Somebody joins an audience and is shown the channel."""
        await self.audiences.ask(channel.key, Join(watcher or Watcher()), within=60)
        await wait_all_tasks_blocked()

    def leave(self, watcher: Subscriber, channel: Channel = TOP3) -> None:
        self.audiences.tell(channel.key, Leave(watcher))

    def crash(self) -> None:
        self.board.tell("nonsense")

    def truth(self) -> list[tuple[UserId, int]]:
        """The players with their scores in order, as the store has them."""
        shown = [row for row in self.store.players.rows.values() if not row.standing.hidden]
        rows = sorted(shown, key=lambda row: (-row.score, row.reached_us, row.user_id))
        return [(row.user_id, row.score) for row in rows]


def clients_of(watcher: Watcher) -> Client:
    """A page that is sent every step that this watcher has seen: diffs where they follow."""
    client = Client()
    for update in watcher.seen:
        if update.diff is not None and update.follows(client.epoch, client.version):
            client.take(update.diff)
        else:
            client.take(update.full)
    return client


@asynccontextmanager
async def running_stage(
    *names: str,
    tick_s: float = 1.0,
    idle_after_s: float = 60.0,
    load: bool = True,
    boards_idle_after_s: float = math.inf,
    zones: Mapping[Period, tzinfo] | None = None,
    clock: TrioClock | None = None,
) -> AsyncIterator[Stage]:
    """Run boards with these players; that of all time is loaded, without `load` activated by the first message."""
    clock, rng = clock or TrioClock(), random.Random(0)
    stage = Stage(FakeScoreStore(Players(clock), clock), PublishedBoards(), set())
    stage.add(*names)
    async with running_actor("remains", Remains, rng=rng, options=FAST) as remains:
        world = stage.world(clock, tick_s, zones or {}, remains)
        stage.boards = Directory(
            "board", lambda key: LeaderboardActor(key, world), rng=rng, options=FAST, idle_after_s=boards_idle_after_s
        )
        stage.active = ActiveBoards(stage.boards)
        stage.board = stage.boards.ref(ALL_TIME)

        def make_audience(key: str) -> AudienceActor | NeighboursActor:
            board, _, kind = key.rpartition("/")
            if kind == AROUND:
                watchers = stage.watchers.setdefault(BoardId(board), {})
                ref = stage.boards.ref(BoardId(board))
                return NeighboursActor(
                    ref, watchers, clock=clock, ids=world.ids, tick_s=tick_s, looked_at=stage.looks.append
                )
            channel = Channel.of_key(key)
            return AudienceActor(stage.boards.ref(channel.board), stage.crowd(channel))

        stage.audiences = Directory("audience", make_audience, rng=rng, options=FAST, idle_after_s=idle_after_s)
        async with stage.boards.running(), stage.audiences.running():
            if load:
                await stage.board.ask(Loaded(), within=60)
            yield stage
