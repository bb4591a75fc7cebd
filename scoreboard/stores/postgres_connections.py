"""The pool's connections, of which one stays at hand."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.words import in_words

#: What comes of a server that cannot be connected to, or is not what is wanted. The driver does not translate what it
#: stumbles over in the greeting of one that it does not know (a proxy, another program), nor names that cannot be.
FAILED = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(OSError, EOFError, ValueError, LookupError, AttributeError),
)
#: After so many units of work in a row a connection passes through the pool, which replaces those that are worn out.
IN_A_ROW = 1_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long anything may take, in seconds.

    The server gives up on a lock and on a statement before the client gives up on the server (`command_s`): then it is
    known that nothing happened.
    """

    connect_s: float = 3.0
    acquire_s: float = 3.0
    release_s: float = 1.0
    command_s: float = 6.0
    close_s: float = 1.0

    @property
    def statement_s(self) -> float:
        """For one statement, at the server."""
        return self.command_s * 2 / 3

    @property
    def lock_s(self) -> float:
        """For one lock, at the server."""
        return self.command_s / 3


USUAL = Bounds()


class Pooled(NamedTuple):
    """Connections that are open, those of them that nobody uses, the most there may be, and who waits for one."""

    open: int
    idle: int
    most: int
    waiting: int


class NoneFree(StoreUnavailable):
    """All that may be open were in use by ourselves for as long as one waits."""


class Connections:
    """Lends the connections of a pool. For asyncio.

    Most of the time one unit of work follows the other, and the pool takes several turns of the loop and two timers to
    give out the connection that it has just got back. So the last one that is in order is kept, for whoever comes next.
    Nobody waits for it: as long as somebody waits for the pool everything goes back there.
    """

    def __init__(self, pool: asyncpg.Pool, bounds: Bounds, *, in_a_row: int = IN_A_ROW) -> None:
        self._pool = pool
        self._bounds = bounds
        self._in_a_row = in_a_row
        self._at_hand: asyncpg.Connection | None = None
        self._in_use: set[asyncpg.Connection] = set()
        self._distrusted: set[asyncpg.Connection] = set()  # of those
        self._replaced = 0  # so often
        self._lent = 0  # from the hand, since a connection last came from the pool
        self._waiting = 0

    def __repr__(self) -> str:
        kept = "none" if self._at_hand is None else "one"
        return f"<Connections, {kept} at hand, {self._waiting} waiting for the pool>"

    @property
    def pooled(self) -> Pooled:
        """How it stands now."""
        pool, kept = self._pool, self._at_hand is not None
        return Pooled(pool.get_size(), pool.get_idle_size() + kept, pool.get_max_size(), self._waiting)

    async def take(self) -> asyncpg.Connection:
        """One that nobody else has. Raises StoreUnavailable; NoneFree if others of ours had all of them."""
        connection = await self._take()
        self._in_use.add(connection)
        return connection

    async def _take(self) -> asyncpg.Connection:
        connection, self._at_hand = self._at_hand, None
        if connection is not None and _lives(connection):
            self._lent += 1
            return connection
        if connection is not None:
            await self._release(connection)
        while True:
            replaced = self._replaced
            connection = await self._from_pool()
            if replaced == self._replaced:
                self._lent = 0
                return connection
            # It may have been made, meanwhile, to the server that is left; for the pool it is a new one.
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
            await self._release(connection)

    async def _from_pool(self) -> asyncpg.Connection:
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=self._bounds.acquire_s)
        except FAILED as error:
            if isinstance(error, TimeoutError) and len(self._in_use) >= self._pool.get_max_size():
                raise NoneFree(f"no connection to Postgres: all {len(self._in_use)} are in use") from error
            raise StoreUnavailable(f"no connection to Postgres: {in_words(error)}") from error
        finally:
            self._waiting -= 1

    async def give_back(self, connection: asyncpg.Connection, *, in_order: bool) -> None:
        """It is free again; `in_order` if the work with it came to its end."""
        self._in_use.discard(connection)
        is_trusted = connection not in self._distrusted
        self._distrusted.discard(connection)
        if in_order and is_trusted and self._may_keep(connection):
            self._at_hand = connection
        else:
            await self._release(connection)

    async def replace(self, *, cut: bool = False) -> None:
        """Trust none of them any more: whoever takes one gets a new one.

        With `cut` work that is under way loses its connection, as nothing that it hears there holds any more.
        """
        self._replaced += 1
        self._distrusted |= self._in_use
        await self._pool.expire_connections()
        for each in self._in_use if cut else ():
            with suppress(asyncpg.InterfaceError):  # its session has ended, and who has it did not ask since
                each.terminate()
        connection, self._at_hand = self._at_hand, None
        if connection is not None:
            await self._release(connection)

    def _may_keep(self, connection: asyncpg.Connection) -> bool:
        if self._at_hand is not None or self._waiting or self._lent >= self._in_a_row:
            return False
        return _lives(connection) and not connection.is_in_transaction()

    async def _release(self, connection: asyncpg.Connection) -> None:
        # A connection that does not become usable again in time is cut by the pool itself, which then raises.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            await self._pool.release(connection, timeout=self._bounds.release_s)

    async def close(self) -> None:
        """Close all; what does not close in time is cut."""
        connection, self._at_hand = self._at_hand, None
        if connection is not None:
            await self._release(connection)
        try:
            await asyncio.wait_for(self._pool.close(), self._bounds.close_s)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self._pool.terminate()


def _lives(connection: asyncpg.Connection) -> bool:
    """The pool takes a connection back by itself when its session ends; then nothing can be asked of it any more."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False
