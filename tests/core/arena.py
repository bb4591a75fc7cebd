"""All actors of one worker, wired as in the server, on fake stores under a virtual clock."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta, timezone

import trio

from actors.actions.proof import HmacVerifier
from actors.connection.commands import ClientCommand, Subscribe
from actors.connection.connection import ConnectionWorld, LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME, HMAC, BoardId, Period, Source, UserId
from actors.runtime import Observer
from actors.user.messages import Increment, IssueToken
from actors.user.token import ActionKeys
from actors.user.world import UserRules
from scoreboard.server.core import Core, running_core
from scoreboard.server.outside import CoreHooks, CorePorts
from tests.connection.feed import PersonalPickles, Viewer, Wire, nobody_scores
from tests.fakes import (
    FakeAccountStore,
    FakeAnnouncements,
    FakeAuditLog,
    FakeBatches,
    FakeBell,
    FakeBoardCache,
    FakeEventLog,
    FakeEvidenceStore,
    FakeFraudStore,
    FakeProfileStore,
    FakeScoreStore,
    FakeSharedLimits,
    FakeStandingStore,
    Players,
)
from tests.fakes.archive import FakeArchive
from tests.fakes.system import CountedIds, TrioClock

HERE = Source(None, None)
SIZES = (1, 3, 10)
#: Boards beside that of all time; somebody watches each.
SECTIONS = [BoardId(name) for name in ("daily", "weekly:US", "all_time:US")]
#: Half a minute behind the beginning of a test the day ends.
DAYS = timezone(timedelta(hours=8, minutes=52, seconds=50))


@dataclass
class Arena:
    """The parts."""

    rng: random.Random
    core: Core
    nursery: trio.Nursery
    world: ConnectionWorld
    viewers: list[tuple[Viewer, Channel]] = field(default_factory=list)

    # --- players ---

    async def play(self, name: str) -> None:
        """Score a point."""
        issued = await self.core.users.ask(UserId(name), IssueToken(), within=30)
        await self.core.users.ask(UserId(name), Increment(issued.token, None, HERE), within=30)

    # --- spectators ---

    def connect(self, channel: Channel) -> Viewer:
        say, commands = trio.open_memory_channel[ClientCommand](1000)
        wire = Wire()
        viewer = Viewer(wire, say, LiveConnection(wire, PersonalPickles(), self.world), trio.CancelScope())
        self.nursery.start_soon(viewer.connection.run, commands, self.nursery)
        say.send_nowait(Subscribe(channel, full=self.rng.random() < 0.2))
        self.viewers.append((viewer, channel))
        return viewer


def ports_over(
    scores: FakeScoreStore, accounts: FakeAccountStore, events: FakeEventLog, standing: FakeStandingStore, seed: int
) -> CorePorts:
    """What one worker asks of the world, over these stores."""
    keys, clock, players = ActionKeys(b"key"), scores.players.clock, scores.players
    return CorePorts(
        *(scores, accounts, events, FakeBoardCache(), clock, CountedIds(), lambda: keys, random.Random(seed), scores),
        FakeArchive(scores, clock),
        FakeProfileStore(players),
        FakeEvidenceStore(scores),
        {HMAC: HmacVerifier(lambda _: (b"game key",))},
        FakeAnnouncements(accounts),
        FakeBell(),
        standing,
        FakeAuditLog(),
        FakeFraudStore(players),
        FakeSharedLimits(),
        FakeBatches(scores, scores.chain),
    )


def unheard() -> CoreHooks:
    """Nobody hears of what the actors do."""
    return CoreHooks(Observer(), lambda _size, _s: None, lambda _: None, lambda _user, _error: None)


@asynccontextmanager
async def running_arena(seed: int, names: list[str], *, tick_s: float = 1.0) -> AsyncIterator[Arena]:
    """Everything, with these players and two spectators for each size of window."""
    rng, clock = random.Random(seed), TrioClock()
    players = Players(clock)
    for name in names:
        players.add(name)
    scores, accounts, events = FakeScoreStore(players, clock), FakeAccountStore(players), FakeEventLog()
    standing = FakeStandingStore(players)
    ports, hooks = ports_over(scores, accounts, events, standing, seed), unheard()

    async def who(_token: str) -> SignedIn | ErrorEvent:
        return ErrorEvent("UNAUTHORIZED", "no")

    rules = UserRules(tokens=None, increments=None, token_age_s=20)
    async with (
        running_core(ports, hooks, rules, tick_s=tick_s, zones={Period.DAILY: DAYS}) as core,
        trio.open_nursery() as nursery,
    ):
        await core.boards.ask(ALL_TIME, Loaded(), within=10)
        world = ConnectionWorld(core.audiences, who, lambda: None, lambda: None, nobody_scores())
        arena = Arena(rng, core, nursery, world)
        for size in SIZES * 2:
            arena.connect(Channel(ALL_TIME, size))
        for board in SECTIONS:
            arena.connect(Channel(board, 3))
        yield arena
        nursery.cancel_scope.cancel()
