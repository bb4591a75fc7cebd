"""Reads that may lag go to replicas of Postgres, as long as these are there and do not lag too much."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import asyncpg
from trio_asyncio import TrioEventLoop

from actors.ports import StoreError, StoreUnavailable
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.ended import is_our_end
from scoreboard.stores.freshness import Freshness
from scoreboard.stores.postgres_connections import FAILED, Bounds, Connections
from scoreboard.stores.postgres_hosts import hosts_of, place_of
from scoreboard.stores.postgres_pool import Connect, Database, Work, open_pool

log = logging.getLogger(__name__)
Result = TypeVar("Result")

#: Of each worker to each replica.
CONNECTIONS = 2
#: So often, within the lag that is allowed, everybody is asked how far they are.
LOOKS = 4

END = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
#: Nothing of a server that is no replica, or none any more.
REPLAYED = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END"


class Reads(Protocol):
    """Where something is read."""

    async def run(self, work: Work[Result]) -> Result:
        """As `Database.run`."""


@dataclass(slots=True)
class Replica:
    """One of them, and up to which moment it shows everything."""

    name: str
    database: Database
    shown_since: float = -math.inf
    used: bool = False


class Replicas:
    """Reads from whichever replica is there and shows what is at most `lag_s` old, otherwise from the primary.

    What one has written may not be there yet. So nothing is read here that anybody looks for just after having written
    it, and never a rank.
    """

    def __init__(self, primary: Database, replicas: list[Replica], lag_s: float) -> None:
        self._primary = primary
        self._replicas = replicas
        self._lag_s = lag_s
        self._ends = Freshness()
        self._looking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Replicas, {sum(each.used for each in self._replicas)} of {len(self._replicas)} in use>"

    async def run(self, work: Work[Result]) -> Result:
        """As `Database.run`; what a replica cannot do the primary does."""
        for replica in self._replicas:
            if self._good(replica):
                try:
                    return await replica.database.run(work)
                except StoreUnavailable as error:
                    log.info("%s could not read it, so the primary does: %s", replica.name, error)
        return await self._primary.run(work)

    async def start(self) -> None:
        """Begin to look after them. For asyncio."""
        self._looking = asyncio.get_running_loop().create_task(self._look_again_and_again())

    async def close(self) -> None:
        """Close all connections to them. For asyncio."""
        if self._looking is not None:
            self._looking.cancel()
        await asyncio.gather(*(each.database.close() for each in self._replicas))

    def _good(self, replica: Replica) -> bool:
        now = self._primary.loop.time()
        return not replica.database.breaker.away and now - replica.shown_since <= self._lag_s

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                await self._look()
            except (Exception, asyncio.CancelledError) as error:
                if is_our_end(error):
                    raise
                # Were it the end of this, none would be read from any more.
                log.exception("how far replicas are could not be seen, and is looked at again")
            await asyncio.sleep(self._lag_s / LOOKS)

    async def _look(self) -> None:
        now = self._primary.loop.time()
        with suppress(StoreError):  # nobody knows how far it is: replicas are used as long as what was known allows
            self._ends.ended(now, await self._primary.unit(_asking(END)))
        await asyncio.gather(*(self._look_at(each) for each in self._replicas))

    async def _look_at(self, replica: Replica) -> None:
        try:
            replica.shown_since = self._ends.shown_since(await replica.database.unit(_asking(REPLAYED)))
        except StoreError as error:
            log.debug("%s does not say how far it is: %s", replica.name, error)
        used = self._good(replica)
        if used != replica.used:
            log.warning("%s %s", replica.name, "is read from" if used else "is away, or lags, and is not read from")
        replica.used = used


def _asking(question: str) -> Work[Any]:
    return lambda connection: connection.fetchval(question)


async def open_replicas(loop: TrioEventLoop, primary: Database, url: str, bounds: Bounds, lag_s: float) -> Replicas:
    """All that the URL names, each with connections of its own; none must be there. For asyncio."""
    replicas = []
    for host in hosts_of(url):
        place = place_of(host)
        connect = _connecting(url, place)
        connections = Connections(await open_pool(connect, CONNECTIONS, bounds, least=0), bounds)
        name = f"replica {place['host']}:{place['port']}"
        breaker = Breaker(name, _prober(connect, connections, bounds))
        replicas.append(Replica(name, Database(loop, connections, breaker)))
    opened = Replicas(primary, replicas, lag_s)
    await opened.start()
    return opened


def _connecting(url: str, place: dict[str, Any]) -> Connect:
    async def connect(_url: str = "", **options: Any) -> asyncpg.Connection:
        return await asyncpg.connect(url, **{**options, **place})

    return connect


def _prober(connect: Connect, connections: Connections, bounds: Bounds) -> Callable[[], Awaitable[None]]:
    async def probe() -> None:
        try:
            connection = await connect(timeout=bounds.connect_s)
        except FAILED as error:
            raise StoreUnavailable(f"no connection to the replica: {error!r}") from error
        connection.terminate()
        await connections.replace()

    return probe
