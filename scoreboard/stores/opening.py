"""Opens all stores for as long as a block runs.

    async with open_stores(postgres_url, redis_url, vault) as stores: ...

This is where asyncio begins and ends: the drivers run in a loop of trio-asyncio inside the caller's one `trio.run`,
and the adapters may be called from any task of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import trio
import trio_asyncio
from redis.exceptions import RedisError

from actors.ports import (
    AccountStore,
    AnnouncementStore,
    Archive,
    AuditLog,
    BatchStore,
    Bell,
    BoardCache,
    ChainId,
    EventLog,
    EvidenceStore,
    FraudStore,
    ProfileStore,
    SharedLimits,
    StandingStore,
    StoreError,
    StoreUnavailable,
)
from scoreboard.stores import postgres_pool, redis_pool
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.callbacks import run_in_portions
from scoreboard.stores.chains import Chains
from scoreboard.stores.migrate import look, migrate
from scoreboard.stores.personal import Personal, PersonalRules
from scoreboard.stores.personal_keys import Vault
from scoreboard.stores.personal_past import encrypt_emails, encrypt_sessions
from scoreboard.stores.postgres_accounts import PostgresAccountStore
from scoreboard.stores.postgres_announcements import KEPT, SWEEP_ANNOUNCEMENTS, PostgresAnnouncements
from scoreboard.stores.postgres_archive import PostgresArchive
from scoreboard.stores.postgres_audit import PostgresAuditLog
from scoreboard.stores.postgres_batches import KEPT as CHANGES_KEPT
from scoreboard.stores.postgres_batches import SWEEP_CHANGES, PostgresBatches
from scoreboard.stores.postgres_catalogue import PostgresActionCatalogue
from scoreboard.stores.postgres_claims import only_reads
from scoreboard.stores.postgres_connections import FAILED, USUAL, Bounds, Connections
from scoreboard.stores.postgres_erasure import PostgresErasure
from scoreboard.stores.postgres_evidence import PostgresEvidenceStore
from scoreboard.stores.postgres_fraud import FINDINGS_KEPT, SWEEP_FINDINGS, PostgresFraudStore
from scoreboard.stores.postgres_hosts import Hosts
from scoreboard.stores.postgres_looks import fill_looks
from scoreboard.stores.postgres_pool import Database, open_pool
from scoreboard.stores.postgres_profiles import PostgresProfileStore
from scoreboard.stores.postgres_scores import PostgresScoreStore
from scoreboard.stores.postgres_standing import PostgresStandingStore
from scoreboard.stores.postgres_watch import Watch
from scoreboard.stores.redis_bell import RedisBell
from scoreboard.stores.redis_board import RedisBoardCache
from scoreboard.stores.redis_events import RedisEventLog
from scoreboard.stores.redis_limits import RedisLimits
from scoreboard.stores.redis_pool import Cache, open_redis
from scoreboard.stores.replicas import Reads, open_replicas
from scoreboard.stores.words import in_words

log = logging.getLogger(__name__)

# Long after they could be presented again, so that a stolen one is still recognized as such.
SESSIONS_KEPT = timedelta(days=30)
CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""
SWEEP = "DELETE FROM sessions WHERE expires_at < clock_timestamp() - $1::interval"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which stores answer. Without Postgres nothing works; without Redis other workers and readers lag."""

    postgres: bool
    redis: bool


@dataclass(frozen=True, slots=True)
class Stores:
    """All that the core may ask of the world. `migrations` are the files that were applied to open them."""

    scores: PostgresScoreStore
    accounts: AccountStore
    profiles: ProfileStore
    standing: StandingStore
    audit: AuditLog
    fraud: FraudStore
    archive: Archive
    catalogue: PostgresActionCatalogue
    evidence: EvidenceStore
    events: EventLog
    batches: BatchStore
    cache: BoardCache
    database: Database
    redis: Cache
    migrations: tuple[str, ...]
    announcements: AnnouncementStore
    bell: Bell
    limits: SharedLimits
    personal: Personal
    erasure: PostgresErasure

    async def ping(self, within: float = 1.0) -> Readiness:
        """Ask both at once whether they answer us, or anybody; takes `within` seconds at most, and never raises."""
        answers: dict[str, bool] = {}
        async with trio.open_nursery() as nursery:
            asked = ("postgres", self._ask_postgres, self.database), ("redis", self._ask_redis, self.redis)
            for name, question, store in asked:
                nursery.start_soon(_answered, answers, name, question, store.breaker, within)
        return Readiness(**answers)

    async def _ask_postgres(self) -> None:
        await self.database.run(lambda connection: connection.fetchval("SELECT 1"))

    async def _ask_redis(self) -> None:
        await self.redis.run(lambda client: client.ping())

    async def open_to_persons(self) -> None:
        """See whether what is known of persons can be read and written.

        Raises:
            KeyDoesNotOpen: it cannot be read.
            StoreUnavailable: it cannot be written, or nothing is known.
        """
        await self.database.run(lambda connection: self.personal.email_key(connection, ""))

    async def encrypt_past(self) -> int:
        """Encrypt what a version before this one left in the clear; how many rows. Raises StoreError."""
        rows = 0
        for each in (encrypt_emails, encrypt_sessions):
            while bite := await each(self.database, self.personal):
                rows += bite
        return rows

    async def fill_looks(self, look_of: Callable[[str], str]) -> int:
        """Fill in what names of before look like; how many. Raises StoreError: another time."""
        names = 0
        while bite := await fill_looks(self.database, look_of):
            names += bite
        return names

    async def maintain(self) -> None:
        """What must be done every now and then (an hour is often enough).

        The ledger's next months are made, what is new in it is made quick to find by time; old sessions and
        findings go.

        Raises:
            StoreError: it was not done; the next time will do.
        """
        await self.database.run(lambda connection: connection.execute("SELECT ensure_partitions()"))
        await self.database.run(_summarize)
        await self.database.run(lambda connection: connection.execute(SWEEP, SESSIONS_KEPT))
        await self.database.run(lambda connection: connection.execute(SWEEP_ANNOUNCEMENTS, KEPT))
        await self.database.run(lambda connection: connection.execute(SWEEP_CHANGES, CHANGES_KEPT))
        await self.database.run(lambda connection: connection.execute(SWEEP_FINDINGS, FINDINGS_KEPT))
        await self.database.run(self.personal.forget_strangers)


async def _summarize(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = '60s'")
        await connection.execute("SELECT summarize_ledger()", timeout=60)


async def _answered(
    answers: dict[str, bool], name: str, question: Callable[[], Awaitable[None]], breaker: Breaker, within: float
) -> None:
    answers[name], heard = False, breaker.heard
    with trio.move_on_after(within):
        try:
            await question()
        except StoreError as error:
            log.warning("%s does not answer: %s", name, error)
            return
    answers[name] = breaker.heard != heard


def _stray(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An error that no one awaited in the drivers' loop. By default it would end the loop, and the server with it."""
    log.error("in a driver: %s", context.get("message"), exc_info=context.get("exception"))


def _settle(loop: trio_asyncio.TrioEventLoop) -> None:
    run_in_portions(loop)
    loop.set_exception_handler(_stray)


@asynccontextmanager
async def open_stores(  # noqa: PLR0913 - named, but for the first three
    postgres_url: str,
    redis_url: str,
    vault: Vault,
    *,
    prefix: str = "",
    postgres_connections: int = 6,
    redis_connections: int = 4,
    event_log_length: int = 2_000,
    bounds: Bounds = USUAL,
    personal: PersonalRules | None = None,
    replica_url: str | None = None,
    replica_lag_s: float = 5.0,
    to_read: bool = False,
) -> AsyncIterator[Stores]:
    """Connect, bring the database up to date, and give the stores. The vault encrypts what is known of persons.

    Redis need not be there: it is connected to when first used; nor replicas, which read what may lag by so much. For
    who wants `to_read` only, a replica will do. An error of the block leaves as it is, not in a group.

    Raises:
        StoreUnavailable: Postgres cannot be reached.
        MigrationError: the database was made by other code.
    """
    failure, hosts = None, Hosts(postgres_url, bounds, to_read=to_read)
    async with trio_asyncio.open_loop() as loop:
        _settle(loop)
        try:
            opening = _open_database(loop, hosts, postgres_connections, bounds)
            database, migrations = await loop.run_aio_coroutine(opening)
            redis, listener = _open_caches(loop, redis_url, redis_connections, prefix)
            async with _closing(loop, database, (redis, listener), bounds), _watching(database, hosts):
                chains = Chains()
                events = RedisEventLog(redis, listener, ChainId(str(chains.scores)), length=event_log_length)
                async with _lagging(database, replica_url, bounds, replica_lag_s) as reads:
                    yield _stores(database, reads, redis, events, Personal(vault, personal), chains, migrations)
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the loop's nursery
            failure = error
    if failure is not None:
        raise failure


async def _open_database(
    loop: trio_asyncio.TrioEventLoop, hosts: Hosts, connections: int, bounds: Bounds
) -> tuple[Database, tuple[str, ...]]:
    """With the files that were applied to it."""
    await hosts.find()
    migrations = await _migrate(hosts, bounds)
    lent = Connections(await open_pool(hosts.connect, connections, bounds), bounds)
    there = Breaker("Postgres", postgres_pool.prober(hosts, lent))
    return Database(loop, lent, there), tuple(migrations)


def _open_caches(loop: trio_asyncio.TrioEventLoop, url: str, connections: int, prefix: str) -> tuple[Cache, Cache]:
    """One for all that is asked, and one of its own for who waits for news."""
    client, ear = open_redis(url, connections=connections), open_redis(url, connections=1)
    heard = Breaker("Redis", redis_pool.prober(client, ear))
    return Cache(loop, client, heard, prefix), Cache(loop, ear, heard, prefix)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database that fits this code: the files that were applied, and how many connections it lets us have."""

    migrations: tuple[str, ...]
    connections: int


async def bring_up_to_date(url: str, vault: Vault, bounds: Bounds = USUAL) -> Prepared:
    """Apply the migrations that are missing, beside any stores that are open, and see whether its keys open.

    Raises as `open_stores`, and KeyDoesNotOpen.
    """
    prepared: Prepared | Exception
    async with trio_asyncio.open_loop() as loop:
        try:
            prepared = await loop.run_aio_coroutine(_prepare(url, vault, bounds))
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the loop's nursery
            prepared = error
    if isinstance(prepared, Exception):
        raise prepared
    return prepared


async def _prepare(url: str, vault: Vault, bounds: Bounds) -> Prepared:
    async with _connected(Hosts(url, bounds), bounds) as connection:
        migrations = await migrate(connection)
        await Personal(vault).email_key(connection, "")
        return Prepared(tuple(migrations), await connection.fetchval(CONNECTIONS))


def _stores(
    database: Database,
    reads: Reads,
    redis: Cache,
    events: EventLog,
    personal: Personal,
    chains: Chains,
    migrations: tuple[str, ...],
) -> Stores:
    return Stores(
        scores=PostgresScoreStore(database, chains, personal),
        accounts=PostgresAccountStore(database, chains, personal),
        profiles=PostgresProfileStore(database, personal),
        standing=PostgresStandingStore(database, chains, personal),
        audit=PostgresAuditLog(database, chains, personal),
        fraud=PostgresFraudStore(database, reads),
        archive=PostgresArchive(database, reads),
        catalogue=PostgresActionCatalogue(database, chains, personal),
        evidence=PostgresEvidenceStore(database, personal),
        events=events,
        batches=PostgresBatches(database, chains),
        cache=RedisBoardCache(redis),
        database=database,
        redis=redis,
        migrations=migrations,
        announcements=PostgresAnnouncements(database),
        bell=RedisBell(redis),
        limits=RedisLimits(redis),
        personal=personal,
        erasure=PostgresErasure(database, chains, personal),
    )


@asynccontextmanager
async def _closing(
    loop: trio_asyncio.TrioEventLoop, database: Database, redis: Sequence[Cache], bounds: Bounds
) -> AsyncIterator[None]:
    """Close all behind the block, in bounded time, also when cancelled."""
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await loop.run_aio_coroutine(_closed(database, redis, bounds))


@asynccontextmanager
async def _watching(database: Database, hosts: Hosts) -> AsyncIterator[None]:
    """Follow whichever becomes the primary."""
    watch = Watch(hosts, database.connections)
    await database.loop.run_aio_coroutine(watch.start())
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await database.loop.run_aio_coroutine(watch.close())


@asynccontextmanager
async def _lagging(database: Database, url: str | None, bounds: Bounds, lag_s: float) -> AsyncIterator[Reads]:
    """Where to read what may lag: the primary itself if there are no replicas."""
    if url is None:
        yield database
        return
    replicas = await database.loop.run_aio_coroutine(open_replicas(database.loop, database, url, bounds, lag_s))
    try:
        yield replicas
    finally:
        with trio.CancelScope(shield=True):
            await database.loop.run_aio_coroutine(replicas.close())


async def _migrate(hosts: Hosts, bounds: Bounds) -> list[str]:
    async with _connected(hosts, bounds) as connection:
        if not await only_reads(connection):
            return await migrate(connection)
        await look(connection)
        return []


@asynccontextmanager
async def _connected(hosts: Hosts, bounds: Bounds) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own, to bring the database up to date with. Raises StoreUnavailable."""
    try:
        connection = await hosts.connect(timeout=bounds.connect_s)
    except FAILED as error:
        raise StoreUnavailable(f"no connection to Postgres: {in_words(error)}") from error
    try:
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StoreUnavailable(f"the database could not be brought up to date: {error!r}") from error
    finally:
        connection.terminate()


async def _closed(database: Database, redis: Sequence[Cache], bounds: Bounds) -> None:
    await database.close()
    for cache in redis:
        cache.breaker.close()
        try:
            await asyncio.wait_for(cache.client.aclose(), bounds.close_s)
            await asyncio.wait_for(cache.client.connection_pool.aclose(), bounds.close_s)
        except (RedisError, OSError) as error:
            log.warning("Redis did not close: %r", error)
