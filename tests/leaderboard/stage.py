"""A board with its audiences and some connections, on a fake store; clients keep the feed's rule."""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio
from trio.testing import wait_all_tasks_blocked

from actors.leaderboard.actor import BoardWorld, LeaderboardActor
from actors.leaderboard.audience import AudienceActor
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import BoardEvent, Channel
from actors.leaderboard.loading import Loading
from actors.leaderboard.messages import Apply, Join, Leave, Loaded, RankMove, Seats, Show, Subscriber
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.update import Update
from actors.ports import ALL_TIME, BoardId, ScoreFact, ScoreWrite, UserId
from actors.runtime import ActorError, CellOptions, Directory, Ref, RestartPolicy
from tests.fakes import FakeScoreStore, Players
from tests.leaderboard.naive import Client
from tests.ledger.office import write

TOP3 = Channel(ALL_TIME, 3)
FAST = CellOptions(restarts=RestartPolicy(first_s=0.1, factor=1, jitter=0, max_restarts=100_000))


class TrioClock:
    """The time of day as Trio's clock has it, so that a virtual one moves it."""

    def now_us(self) -> int:
        return 1_750_000_000_000_000 + round(trio.current_time() * 1_000_000)


class CountedIds:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def uuid(self) -> str:
        return f"id-{next(self._numbers)}"

    def nonce(self) -> str:
        return f"epoch-{next(self._numbers)}"


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
    numbers: itertools.count[int] = field(default_factory=itertools.count)

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

    async def commit(self, *names: str) -> tuple[ScoreFact, ...]:
        """One point for each of these, on disk only."""
        writes: list[ScoreWrite] = [write(name, next(self.numbers)) for name in names]
        outcomes = await self.store.commit(writes)
        return tuple(outcome.fact for outcome in outcomes)  # type: ignore[union-attr]

    async def apply(self, *facts: ScoreFact) -> tuple[RankMove, ...]:
        return await self.board.ask(Apply(facts), within=60)

    async def score(self, *names: str) -> tuple[RankMove, ...]:
        """One point for each of these, on disk and on the board."""
        return await self.apply(*await self.commit(*names))

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
        rows = sorted(self.store.players.rows.values(), key=lambda row: (-row.score, row.reached_us, row.user_id))
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
    *names: str, tick_s: float = 1.0, idle_after_s: float = 60.0, load: bool = True
) -> AsyncIterator[Stage]:
    """Run a board with these players; without `load` it is activated by the first message."""
    clock = TrioClock()
    stage = Stage(FakeScoreStore(Players(clock), clock), PublishedBoards(), set())
    stage.add(*names)
    world = BoardWorld(
        stage.store, clock, CountedIds(), stage.published, stage.watched, stage.broadcast, tick_s, stage.loadings.append
    )
    rng = random.Random(0)
    stage.boards = Directory("board", lambda key: LeaderboardActor(key, world), rng=rng, options=FAST)
    stage.board = stage.boards.ref(ALL_TIME)

    def make_audience(key: str) -> AudienceActor:
        return AudienceActor(stage.board, stage.crowd(Channel.of_key(key)))

    stage.audiences = Directory("audience", make_audience, rng=rng, options=FAST, idle_after_s=idle_after_s)
    async with stage.boards.running(), stage.audiences.running():
        if load:
            await stage.board.ask(Loaded(), within=60)
        yield stage
