"""What all workers share: a Postgres and a Redis in memory, and the laws that watch them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol, TypeVar

import trio

from actors.actions.proof import HmacVerifier
from actors.ports import HMAC, ChainId, KeyConflict, KeyLookup, LoggedFacts, Period, Repeated, UserId
from actors.user.token import ActionKeys
from scoreboard.server.outside import CorePorts
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
from tests.fakes.system import BEGIN_S, CountedIds, SetClock, TrioClock
from tests.simulation.laws import Laws
from tests.simulation.line import Life, Line, Server
from tests.simulation.replica import Replica
from tests.simulation.scheduler import Trace

#: The log of events keeps so many entries, few enough to lose some while nobody listens.
ENTRIES = 40


class Faulty(Protocol):
    """A fake with switches."""

    faults: Faults


Fake = TypeVar("Fake", bound=Faulty)


class LifeIds(CountedIds):
    """One after the other, and no two lives have the same."""

    def __init__(self, life: str) -> None:
        super().__init__()
        self._life = life

    def uuid(self) -> str:
        return f"{self._life} {super().uuid()}"

    def nonce(self) -> str:
        return f"{self._life}_{super().nonce()}"


class LedgerStore(FakeScoreStore):
    """Only a commit may be in doubt; what else is lost has not been done."""

    async def recall(self, lookups: Sequence[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        return await self.reads.around(lambda: [self._known(lookup) for lookup in lookups])

    async def actions(self) -> dict[str, int]:
        return await self.reads.around(lambda: dict(self.catalogue))


class SharedBell(FakeBell):
    """The same bell for all: a copy rings it too."""

    def __init__(self, rings: list[int] | None = None) -> None:
        super().__init__()
        self.rings = [] if rings is None else rings

    def _ring(self) -> None:
        self.rings.append(1)
        self.rung = len(self.rings)

    async def heard(self) -> object:
        return await self.faults.around(lambda: len(self.rings))


@dataclass
class World:
    """The stores, their contents, and who harms them."""

    rng: random.Random
    trace: Trace
    tasks: trio.Nursery  # of the servers
    zones: Mapping[Period, tzinfo]
    begin_s: int = BEGIN_S
    mangled: bool = False  # whether the log of events loses, doubles and reorders
    held: list[LoggedFacts] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = TrioClock(self.begin_s)
        self.players = Players(self.clock)
        self.scores = LedgerStore(self.players, self.clock)
        self.audit = FakeAuditLog()
        self.accounts = FakeAccountStore(self.players, self.audit)
        self.standing = FakeStandingStore(self.players, self.audit)
        self.profiles = FakeProfileStore(self.players)
        self.archive = FakeArchive(self.scores, self.clock)
        self.evidence = FakeEvidenceStore(self.scores)
        self.fraud = FakeFraudStore(self.players)
        self.events, self.cache, self.bell = FakeEventLog(ENTRIES), FakeBoardCache(), SharedBell()
        self.limits = FakeSharedLimits()
        self.events.bus.mangle = self._mangle
        self.over = trio.CancelScope()
        note = self.trace.note
        self.laws = Laws(self.scores, self.zones, self.over.cancel, note)
        self.postgres = Server("postgres", self.tasks, done=self.laws.observe, note=note)
        self.redis = Server("redis", self.tasks, note=note)

    def replica(self) -> Replica:
        """Of all that Postgres has."""
        others = (self.accounts, self.audit, self.standing, self.archive, self.evidence, self.fraud)
        return Replica(self.scores, others)

    def ban(self, user_id: UserId, *, banned: bool) -> None:
        """Or lift that: by hand, in the database."""
        row = self.players.rows[user_id]
        if row.banned == banned:
            return
        self.trace.note(f"{user_id} is {'banned' if banned else 'free'}")
        if row.standing.hidden != replace(row.standing, banned=banned).hidden:
            row.version += 1
            self.players.changed(user_id)
        row.banned = banned
        if banned:
            self.accounts.changed(user_id)
        self.laws.observe()

    def erase(self, user_id: UserId) -> None:
        """For ever."""
        self.trace.note(f"{user_id} is erased")
        self.accounts.erase(user_id, f"erased-{len(self.accounts.erased) + 1}")
        self.laws.observe()

    def ports(self, life: Life, clock: SetClock) -> CorePorts:
        """What one life of a worker asks, each by a line of its own."""
        chain, rng = ChainId(life.name), self.rng
        scores = self.scores.beside(chain)
        scores.faults, scores.reads = Line(self.postgres, life, rng, "scores"), Line(self.postgres, life, rng, "reads")
        batches = FakeBatches(scores, chain)
        events = self.events.beside(chain)
        announcements = FakeAnnouncements(self.accounts)
        keys = ActionKeys(b"key")
        return CorePorts(
            scores,
            self._beside(self.accounts, life, self.postgres),
            self._line(events, life, self.redis),
            self._beside(self.cache, life, self.redis),
            clock,
            LifeIds(life.name),
            lambda: keys,
            rng,
            scores,
            self._beside(self.archive, life, self.postgres),
            self._beside(self.profiles, life, self.postgres),
            self._beside(self.evidence, life, self.postgres),
            {HMAC: HmacVerifier(lambda _: (b"game key",))},
            self._line(announcements, life, self.postgres),
            self._beside(self.bell, life, self.redis),
            self._beside(self.standing, life, self.postgres),
            self._beside(self.audit, life, self.postgres),
            self._beside(self.fraud, life, self.postgres),
            self._beside(self.limits, life, self.redis),
            self._line(batches, life, self.postgres),
        )

    def _beside(self, fake: Fake, life: Life, server: Server) -> Fake:
        """The same contents by a line of its own."""
        return self._line(copy(fake), life, server)

    def _line(self, fake: Fake, life: Life, server: Server) -> Fake:
        fake.faults = Line(server, life, self.rng, type(fake).__name__.removeprefix("Fake").lower())
        return fake

    def _mangle(self, entry: LoggedFacts) -> list[LoggedFacts]:
        """Lose an entry, double it, hold it back, or let out what was held back."""
        if not self.mangled:
            return [entry]
        match self.rng.randrange(10):
            case 0 | 1:
                return []
            case 2:
                return [entry, entry]
            case 3 | 4:
                self.held.append(entry)
                return []
            case 5:
                held, self.held = self.held, []
                self.rng.shuffle(held)
                return [entry, *held]
        return [entry]
