"""Short ways to make what the stores take, and the two backends that the contract is held against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

from actors.ports import (
    AccountStore,
    Act,
    ActionCatalogue,
    AnnouncementStore,
    Archive,
    AuditLog,
    BatchStore,
    Bell,
    BoardCache,
    ChainId,
    EventId,
    EventKind,
    EventLog,
    EvidenceStore,
    FraudStore,
    NewAccount,
    NewSession,
    OperationId,
    ProfileStore,
    Registered,
    ScoreFact,
    ScoreStore,
    ScoreWrite,
    SessionId,
    SharedLimits,
    Source,
    StandingChange,
    StandingStore,
    Stood,
    UserId,
)
from scoreboard.stores.chains import Chains
from scoreboard.stores.opening import Stores
from scoreboard.stores.postgres_batches import PostgresBatches
from scoreboard.stores.redis_events import RedisEventLog
from tests.fakes import (
    FakeAccountStore,
    FakeAnnouncements,
    FakeArchive,
    FakeBatches,
    FakeBell,
    FakeBoardCache,
    FakeClock,
    FakeEventLog,
    FakeEvidenceStore,
    FakeFraudStore,
    FakeProfileStore,
    FakeScoreStore,
    FakeSharedLimits,
    FakeStandingStore,
    Players,
)
from tests.vault import open_stores

NOW_US = 1_750_000_000_000_000
OTHER = ChainId(str(UUID(int=1)))
HERE = Source("192.0.2.7", "a browser")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """The stores, and what only a test may do with them. `filed`: the ids of a player's actions in the ledger.

    `elsewhere` is the event log and `batches` the batches as another worker has them.
    """

    scores: ScoreStore
    accounts: AccountStore
    events: EventLog
    cache: BoardCache
    ban: Callable[[UserId], Awaitable[None]]
    set_score: Callable[[UserId, int], Awaitable[None]]
    catalogue: ActionCatalogue
    evidence: EvidenceStore
    profiles: ProfileStore
    archive: Archive
    now_us: Callable[[], Awaitable[int]]
    pass_time: Callable[[int], Awaitable[int]]
    filed: Callable[[UserId], Awaitable[list[str | None]]]
    announcements: AnnouncementStore
    bell: Bell
    standing: StandingStore
    audit: AuditLog
    fraud: FraudStore
    limits: SharedLimits
    elsewhere: EventLog
    batches: BatchStore
    own_batches: BatchStore

    async def player(self, name: str) -> UserId:
        """Register somebody."""
        registered = await self.accounts.register(account(name))
        assert isinstance(registered, Registered)
        return registered.fact.user_id

    async def stand(self, user_id: UserId, **changed: bool | int | str | None) -> Stood:
        """Change how somebody stands."""
        stood = await self.standing.change_standing(user_id, StandingChange(**changed), act())  # type: ignore[arg-type]
        assert isinstance(stood, Stood)
        return stood


@dataclass(frozen=True, slots=True)
class Backend:
    """One kind of stores. `open` may be called again and again, and finds what was there."""

    open: Callable[[], AbstractAsyncContextManager[World]]


def fake_backend() -> Backend:
    """Stores in memory."""
    clock = FakeClock()
    standing = FakeStandingStore(players := Players(clock))
    scores, accounts = FakeScoreStore(players, clock), FakeAccountStore(players, standing.audit)
    archive, evidence = FakeArchive(scores, clock), FakeEvidenceStore(scores)
    events, cache = FakeEventLog(), FakeBoardCache()

    async def ban(user_id: UserId) -> None:
        players.ban(user_id)
        accounts.changed(user_id)

    async def set_score(user_id: UserId, score: int) -> None:
        players.rows[user_id].score = score

    async def now_us() -> int:
        return players.moment()

    async def pass_time(us: int) -> int:
        clock.us += us
        return 0

    async def filed(user_id: UserId) -> list[str | None]:
        return [write.action_id for write, _ in scores.ledger if write.user_id == user_id]

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        yield World(
            *(scores, accounts, events, cache, ban, set_score, scores, evidence),
            *(FakeProfileStore(players), archive, now_us, pass_time, filed),
            announcements=FakeAnnouncements(accounts),
            bell=FakeBell(),
            standing=standing,
            audit=standing.audit,
            fraud=FakeFraudStore(players),
            limits=FakeSharedLimits(),
            **_as_others(events, scores),
        )

    return Backend(opened)


def _as_others(events: FakeEventLog, scores: FakeScoreStore) -> dict[str, Any]:
    batches = FakeBatches(scores, OTHER), FakeBatches(scores, scores.chain)
    return {"elsewhere": events.beside(OTHER), "batches": batches[0], "own_batches": batches[1]}


def real_backend(postgres_url: str, redis_url: str) -> Backend:
    """Postgres and Valkey."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        async with open_stores(postgres_url, redis_url) as stores:
            yield real_world(stores)

    return Backend(opened)


def real_world(stores: Stores) -> World:
    """The world over open stores. Instead of the time, all that was done goes back: so far as is told."""

    async def ban(user_id: UserId) -> None:
        sql = "UPDATE users SET is_banned = true WHERE user_id = $1"
        await stores.database.run(lambda connection: connection.execute(sql, user_id))

    async def now_us() -> int:
        now: int = await stores.database.run(lambda connection: connection.fetchval("SELECT to_us(clock_timestamp())"))
        return now

    async def pass_time(us: int) -> int:
        back = f"interval '{us} microseconds'"
        sql = (
            f"UPDATE score_updates SET created_at = created_at - {back}, occurred_at = occurred_at - {back};"
            f"UPDATE users SET reached_at = reached_at - {back}"
        )
        await stores.database.run(lambda connection: connection.execute(sql))
        return us

    plain = (stores.scores, stores.accounts, stores.events, stores.cache)
    actions = (stores.catalogue, stores.evidence)
    return World(
        *(*plain, ban, partial(_set_score, stores), *actions, stores.profiles, stores.archive),
        *(now_us, pass_time, partial(_filed, stores)),
        announcements=stores.announcements,
        bell=stores.bell,
        standing=stores.standing,
        audit=stores.audit,
        fraud=stores.fraud,
        limits=stores.limits,
        elsewhere=RedisEventLog(stores.redis, stores.redis, OTHER),
        batches=PostgresBatches(stores.database, Chains()),
        own_batches=stores.batches,
    )


async def _set_score(stores: Stores, user_id: UserId, score: int) -> None:
    sql = "UPDATE users SET score = $2 WHERE user_id = $1"
    await stores.database.run(lambda connection: connection.execute(sql, user_id, score))


async def _filed(stores: Stores, user_id: UserId) -> list[str | None]:
    sql = "SELECT action_id FROM score_updates WHERE user_id = $1 ORDER BY created_at"
    rows = await stores.database.run(lambda connection: connection.fetch(sql, user_id))
    return [row[0] for row in rows]


def act(kind: EventKind = EventKind.ACT, why: str = "for a test") -> Act:
    """Something that somebody in charge does, under a name of its own."""
    return Act(EventId(uuid_of(next(_numbers))), NOW_US, kind, "operator", why, HERE, "request-1")


def uuid_of(number: int) -> str:
    """A UUID in its usual text form."""
    return str(UUID(int=(number << 64) | 1))


def account(name: str, *, user_id: str | None = None, email: str | None = None) -> NewAccount:
    """A new player."""
    address = email or f"{name}@example.org"
    key = UserId(user_id or uuid_of(next(_numbers)))
    return NewAccount(key, name, name.casefold(), address, address.casefold(), "$2b$hash")


def write(
    user_id: UserId,
    key: str | None = None,
    *,
    request: bytes = b"request",
    points: int = 1,
    occurred_us: int = NOW_US,
) -> ScoreWrite:
    """A write with an operation and a token of its own."""
    number = next(_numbers)
    return ScoreWrite(
        operation_id=OperationId(uuid_of(number)),
        user_id=user_id,
        points=points,
        action_type="INCREMENT",
        token_hash=token_hash(number),
        token_expires_us=NOW_US + 60_000_000,
        idempotency_key=key,
        request_hash=request,
        source=HERE,
        occurred_us=occurred_us,
        action_id=f"action {number}",
    )


def again(first: ScoreWrite) -> ScoreWrite:
    """The same request come a second time: the same token and key, another operation."""
    return first._replace(operation_id=OperationId(uuid_of(next(_numbers))))


def as_it_stands(fact: ScoreFact) -> ScoreFact:
    """The total alone, without what was added last: as it is read later."""
    return fact._replace(points=0, occurred_us=0)


def token_hash(number: int) -> bytes:
    """32 bytes, as of a token."""
    return sha256(str(number).encode()).digest()


def session(user_id: UserId, refresh_hash: bytes, *, expires_us: int = NOW_US + 1_000_000_000) -> NewSession:
    """A sign-in at `NOW_US`."""
    return NewSession(SessionId(uuid_of(next(_numbers))), user_id, refresh_hash, NOW_US, expires_us, HERE)
