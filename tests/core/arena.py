"""All actors together, wired as in the server, on fake stores under a virtual clock; and those who trouble them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta, timezone

import trio

from actors.actions.proof import HmacVerifier
from actors.connection.commands import ClientCommand, Subscribe, Unsubscribe
from actors.connection.connection import ConnectionWorld, LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Loaded
from actors.ledger.messages import ChangeStanding, LedgerUnavailable, Register, TellBoards
from actors.ports import (
    ALL_TIME,
    HMAC,
    Act,
    BoardId,
    CommitUnknown,
    EventId,
    EventKind,
    NewAccount,
    NewSession,
    Period,
    ProfileChange,
    Registered,
    ScoreFact,
    SessionId,
    Source,
    StandingChange,
    StoreUnavailable,
    UserId,
)
from actors.runtime import ActorError, AskTimeout, Observer, Refusal
from actors.user.messages import Increment, IssueToken, ScoreAnswer
from actors.user.refusals import Unavailable
from actors.user.token import ActionKeys, ActionToken
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
    Faults,
    Players,
)
from tests.fakes.archive import FakeArchive
from tests.fakes.system import CountedIds, TrioClock

HERE = Source(None, None)
SIZES = (1, 3, 10)
#: Boards beside that of all time; somebody watches each, and others are looked at now and then.
SECTIONS = [BoardId(name) for name in ("daily", "weekly:US", "all_time:US")]
LOOKED_AT = [BoardId(name) for name in ("weekly", "monthly", "daily:DE", "all_time:DE")]
COUNTRIES = ["US", "DE", None]
#: Half a minute behind the beginning of a test the day ends.
DAYS = timezone(timedelta(hours=8, minutes=52, seconds=50))


class ScoreStore(FakeScoreStore):
    """Readers of all players have faults of their own."""

    def __init__(self, players: Players, clock: TrioClock) -> None:
        super().__init__(players, clock)
        self.reads = Faults()


@dataclass
class Tried:
    """One token, and all that was heard of it."""

    token: ActionToken
    key: str | None
    answers: list[ScoreAnswer] = field(default_factory=list)
    refused: Exception | None = None

    @property
    def digest(self) -> bytes:
        return self.token.digest


@dataclass
class Arena:
    """The parts."""

    rng: random.Random
    core: Core
    scores: ScoreStore
    accounts: FakeAccountStore
    events: FakeEventLog
    nursery: trio.Nursery
    world: ConnectionWorld
    profiles: FakeProfileStore
    standing: FakeStandingStore
    viewers: list[tuple[Viewer, Channel]] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    joined: list[UserId] = field(default_factory=list)

    # --- players ---

    async def play(self, name: str, rounds: int) -> None:
        """Score some points, now and then twice at once; ask again as long as one is told to."""
        for number in range(rounds):
            await trio.sleep(self.rng.expovariate(1))
            issued = await self.core.users.ask(UserId(name), IssueToken(), within=30)
            tried = Tried(issued.token, f"key {number}" if self.rng.random() < 0.8 else None)
            self.tried.append(tried)
            async with trio.open_nursery() as nursery:
                for _ in range(self.rng.choice([1, 1, 2])):
                    nursery.start_soon(self._increment, name, tried)

    async def _increment(self, name: str, tried: Tried) -> None:
        for _ in range(30 if tried.key else 1):
            try:
                wish = Increment(tried.token, tried.key, HERE)
                tried.answers.append(await self.core.users.ask(UserId(name), wish, within=30))
                return
            except (Unavailable, AskTimeout):
                await trio.sleep(self.rng.uniform(0.1, 2))
            except Refusal as refusal:
                tried.refused = refusal
                return

    async def travel(self, name: str, times: int) -> None:
        """Change the country; told that it may not have been done, one does it again."""
        for _ in range(times):
            await trio.sleep(self.rng.expovariate(0.2))
            change = ProfileChange(country=self.rng.choice(COUNTRIES))
            for _ in range(30):
                try:
                    fact = await self.profiles.change_profile(UserId(name), change)
                    assert isinstance(fact, ScoreFact)
                    await self.core.ledger.ask(TellBoards(fact), within=30)
                    break
                except ActorError:
                    await trio.sleep(self.rng.uniform(0.1, 2))

    async def judge(self, name: str, times: int) -> None:
        """Quarantine a player or lift it; told that it may not have been done, one does it again."""
        for number in range(times):
            await trio.sleep(self.rng.expovariate(0.2))
            change = StandingChange(quarantined=self.rng.random() < 0.6)
            act = Act(EventId(f"{name} {number}"), 0, EventKind.CONSEQUENCE, "rule:any", "for a test")
            for _ in range(30):
                try:
                    await self.core.standing.ask(ChangeStanding(UserId(name), change, act), within=30)
                    break
                except ActorError:
                    await trio.sleep(self.rng.uniform(0.1, 2))

    async def look(self, seconds: float) -> None:
        """Look at boards now and then, so that they are loaded in the middle of all this."""
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            await trio.sleep(self.rng.expovariate(0.3))
            with suppress(ActorError):
                await self.core.boards.ask(self.rng.choice(LOOKED_AT), Loaded(), within=5)

    async def register(self, name: str) -> None:
        """Become a player; told to try again, one finds one's name taken, and that is as it should be."""
        user_id = UserId(name)
        account = NewAccount(user_id, name, name, name, name, "hash")
        session = NewSession(SessionId(name), user_id, name.encode(), 0, 1, HERE)
        try:
            outcome = await self.core.accounts.ask(Register(account, session), within=30)
        except LedgerUnavailable:
            return
        assert isinstance(outcome, Registered)
        self.joined.append(user_id)

    # --- spectators ---

    def connect(self, channel: Channel) -> Viewer:
        say, commands = trio.open_memory_channel[ClientCommand](1000)
        wire = Wire()
        viewer = Viewer(wire, say, LiveConnection(wire, PersonalPickles(), self.world), trio.CancelScope())
        self.nursery.start_soon(viewer.connection.run, commands, self.nursery)
        say.send_nowait(Subscribe(channel, full=self.rng.random() < 0.2))
        self.viewers.append((viewer, channel))
        return viewer

    # --- trouble ---

    async def trouble(self, seconds: float, crashes: int) -> None:
        """Do harm for a while; then let everything recover."""
        left = {"board": crashes, "ledger": crashes, "audience": crashes}
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            await trio.sleep(self.rng.expovariate(2))
            self._harm(left)
        self.scores.faults.delay_s = self.scores.reads.delay_s = 0
        for faults in (self.scores.faults, self.scores.reads):
            faults._before.clear()
            faults._after.clear()
        for viewer, _ in self.viewers:
            viewer.wire.tears = False
            viewer.wire.read()

    def _harm(  # noqa: C901 - a table of ways to do harm
        self, left: dict[str, int]
    ) -> None:
        rng, faults = self.rng, self.scores.faults
        lost, away = CommitUnknown("lost"), StoreUnavailable("away")
        match rng.randrange(14):
            case 0:
                faults.fail_before(*[away] * rng.randint(1, 3))
            case 1:
                faults.fail_before(*[lost] * rng.randint(1, 3))
            case 2:
                faults.fail_after(*[lost] * rng.randint(1, 3))
            case 3:
                faults.delay_s = rng.choice([0, 0, 0.01, 0.3, 3, 12])
            case 4:
                self.scores.reads.fail_before(away, away)
            case 5:
                self.events.faults.fail_before(away, away)
            case 6:
                rng.choice([self.accounts.faults.fail_after, self.standing.faults.fail_after])(*[away] * 2)
            case 7 if left["board"]:
                left["board"] -= 1
                self.core.boards.tell(rng.choice([ALL_TIME, *SECTIONS]), "nonsense")
            case 8 | 9 if left["ledger"]:
                left["ledger"] -= 1
                faults_of = rng.choice([faults.fail_before, faults.fail_after])
                faults_of(ZeroDivisionError())
            case 10 if left["audience"]:
                left["audience"] -= 1
                self.core.audiences.tell(rng.choice(self.viewers)[1].key, "nonsense")
            case _:
                self._disturb(*rng.choice(self.viewers))

    def _disturb(self, viewer: Viewer, channel: Channel) -> None:
        match self.rng.randrange(5):
            case 4:
                viewer.wire.tears = True
            case 0:
                viewer.wire.stop_reading()
            case 1:
                viewer.wire.read(self.rng.randint(1, 3))
            case 2:
                viewer.wire.read()
            case 3:
                viewer.say.send_nowait(Unsubscribe(channel))
                viewer.say.send_nowait(Subscribe(channel))


def rows_per_token(store: FakeScoreStore) -> dict[bytes, int]:
    """How often each token counted."""
    counts: defaultdict[bytes, int] = defaultdict(int)
    for write, _ in store.ledger:
        counts[write.token_hash] += 1
    return counts


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
    scores, accounts, events = ScoreStore(players, clock), FakeAccountStore(players), FakeEventLog()
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
        arena = Arena(rng, core, scores, accounts, events, nursery, world, FakeProfileStore(players), standing)
        for size in SIZES * 2:
            arena.connect(Channel(ALL_TIME, size))
        for board in SECTIONS:
            arena.connect(Channel(board, 3))
        yield arena
        nursery.cancel_scope.cancel()
