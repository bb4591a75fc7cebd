"""Connections to Postgres for code that runs on Trio, and the one place where the driver's errors are translated.

A unit of work is one asyncio coroutine from acquiring a connection to giving it back. Trio only waits for it, so a
cancelled caller never leaves a connection half used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import trio
from trio_asyncio import TrioEventLoop

from actors.ports import StoreError, StoreFault, StoreUnavailable
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.postgres_connections import FAILED, Bounds, Connections, NoneFree
from scoreboard.stores.postgres_hosts import Hosts
from scoreboard.stores.postgres_waits import told_in_time
from scoreboard.stores.words import in_words

Result = TypeVar("Result")
Work = Callable[[asyncpg.Connection], Awaitable[Result]]
#: Makes a connection of what the driver takes.
Connect = Callable[..., Awaitable[asyncpg.Connection]]

# The server rolled back and says why; another time it may succeed. 40: deadlock, serialization; 53: resources; 55:
# locks; 58: system; 57014: statement time-out; 57P03: starting up; 25006: became a replica.
TRANSIENT = ("40", "53", "55", "58", "57014", "57P03", "25006")
# The server ends the session; that may reach us between the commit and its acknowledgement.
ENDING = ("08", "57P01", "57P02", "57P05", "25P03", "40003")
#: After so many seconds in which a session was quiet the server asks for a sign of life; after so many it ends it.
QUIET_S, UNHEARD_S = 30, 60

# It answers, but lacks what it needs: disk, memory, connections; or its files do not work. An operator has to act.
TROUBLED = ("53", "58")

# The session lives, but the server behind it cannot serve: it became a replica, or is starting.
USELESS = ("25006", "57P03")


def lost(error: Exception) -> bool:
    """Whether the server was not heard, or cannot serve whatever it is asked.

    What the driver itself refuses to do, as with a session that was closed before, says nothing of the server.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(ENDING + USELESS)
    return not isinstance(error, asyncpg.InterfaceError)


def translate(error: Exception, on_loss: type[StoreError]) -> StoreError:
    """What an error of the driver during a unit of work means. `on_loss` is for a connection lost meanwhile."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state.startswith(ENDING):
            return on_loss(f"Postgres ended the session: {error}")
        if state.startswith(TRANSIENT):
            return StoreUnavailable(f"Postgres refused for now: {error}")
        return StoreFault(f"Postgres rejected it: {error}")
    if isinstance(error, asyncpg.DataError):
        return StoreFault(f"not a value that Postgres can hold: {error}")
    if isinstance(error, asyncpg.InterfaceError):
        return StoreUnavailable(f"the connection to Postgres was closed: {error}")
    if isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError | asyncio.IncompleteReadError):
        return on_loss(f"the connection to Postgres was lost: {error!r}")
    raise error


async def _plain_reset(_connection: asyncpg.Connection) -> None:
    """Nothing: our statements leave no state in a session, and the usual reset costs a round trip each time."""


def session_settings(bounds: Bounds) -> dict[str, str]:
    """What each session is told: when the server gives up on it, also where nothing is heard of us any more."""
    milliseconds = {
        "statement_timeout": bounds.statement_s,
        "lock_timeout": bounds.lock_s,
        "idle_in_transaction_session_timeout": bounds.statement_s,
        "tcp_user_timeout": UNHEARD_S,
    }
    return {
        "application_name": "scoreboard",
        "tcp_keepalives_idle": str(QUIET_S),
        "tcp_keepalives_interval": str((UNHEARD_S - QUIET_S) // 3),
        "tcp_keepalives_count": "3",
        **{name: str(int(seconds * 1000)) for name, seconds in milliseconds.items()},
    }


async def open_pool(connect: Connect, size: int, bounds: Bounds, *, least: int = 1) -> asyncpg.Pool:
    """A pool whose every session has the server-side time-outs. For asyncio; raises StoreUnavailable."""
    try:
        return await asyncpg.create_pool(
            connect=connect,
            min_size=least,
            max_size=size,
            timeout=bounds.connect_s,
            command_timeout=bounds.command_s,
            # Without closing idle ones: that sets a timer of minutes at each release and cancels it at each acquire,
            # and trio-asyncio keeps a cancelled timer until it would have been due.
            max_inactive_connection_lifetime=0,
            reset=_plain_reset,
            server_settings=session_settings(bounds),
        )
    except FAILED as error:
        raise StoreUnavailable(f"no connection to Postgres: {in_words(error)}") from error


def prober(hosts: Hosts, connections: Connections) -> Callable[[], Awaitable[None]]:
    """Looks for a server that may write, and has all sessions replaced then. For asyncio; raises StoreUnavailable."""

    async def probe() -> None:
        await connections.replace(cut=await hosts.find())

    return probe


@dataclass(frozen=True, slots=True)
class Database:
    """Connections that tasks of Trio may use, whichever nursery they stand in."""

    loop: TrioEventLoop
    connections: Connections
    breaker: Breaker

    async def run(self, work: Work[Result], *, on_loss: type[StoreError] = StoreUnavailable) -> Result:
        """Do `work` with a connection.

        Raises:
            StoreUnavailable: no connection, or the server refused for now; nothing changed. At once while it is away.
            on_loss: the connection was lost while `work` ran, or its wait for the synchronous replica was ended.
            StoreFault: the server rejects this work, and would again.
        """
        result: Result = await self.loop.run_aio_coroutine(self.unit(work, on_loss))
        return result

    @asynccontextmanager
    async def holding(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for more than one unit of work; what is done with it goes through `use`.

        Raises:
            StoreUnavailable: there is none.
        """
        connection = await self.loop.run_aio_coroutine(self._take())
        try:
            yield connection
        finally:
            with trio.CancelScope(shield=True):
                await self.loop.run_aio_coroutine(self.connections.give_back(connection, in_order=False))

    async def use(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do `work`, for asyncio, with a connection that is held. Raises as `run`."""
        result: Result = await self.loop.run_aio_coroutine(self._heard(work(), StoreUnavailable))
        return result

    async def unit(self, work: Work[Result], on_loss: type[StoreError] = StoreUnavailable) -> Result:
        """As `run`, for asyncio."""
        connection = await self._take()
        in_order = False
        try:
            result = await self._heard(self._in_time(work, connection, on_loss), on_loss)
            in_order = True
        finally:
            await self.connections.give_back(connection, in_order=in_order)
        return result

    async def _in_time(self, work: Work[Result], connection: asyncpg.Connection, on_loss: type[StoreError]) -> Result:
        with told_in_time(connection, on_loss):
            return await work(connection)

    async def _take(self) -> asyncpg.Connection:
        self.breaker.check()
        heard = self.breaker.heard
        try:
            with self.breaker.noticing():
                return await self.connections.take()
        except NoneFree as error:
            self.breaker.crowded(error, heard)
            raise
        except StoreUnavailable as error:
            self.breaker.lost(error)
            raise

    async def _heard(self, work: Awaitable[Result], on_loss: type[StoreError]) -> Result:
        try:
            with self.breaker.noticing():
                result = await work
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            if lost(error):
                self.breaker.lost(error)
            elif isinstance(error, asyncpg.PostgresError):
                self.breaker.answered()
                if (error.sqlstate or "").startswith(TROUBLED):
                    self.breaker.troubled(error)
            raise translate(error, on_loss) from error
        self.breaker.answered()
        return result

    async def close(self) -> None:
        """Close all connections; what does not close in time is cut. For asyncio."""
        self.breaker.close()
        await self.connections.close()
