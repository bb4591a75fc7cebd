"""Connections to Redis that are lent and come back, whenever those who have them give up."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NoConnection


class NoneFree(NoConnection):
    """All that may be open were in use by ourselves for as long as one waits."""


class Connections(BlockingConnectionPool):
    """As the driver's, but that none is lost, and that it tells who had none from who reached nobody. For asyncio."""

    async def get_connection(self, *_: Any, **__: Any) -> AbstractConnection:
        """One that nobody else has. Raises NoneFree, and as the driver where it cannot connect."""
        try:
            connection: AbstractConnection = await super().get_connection()  # type: ignore[no-untyped-call]
        except NoConnection as error:
            if isinstance(error.__cause__, TimeoutError):  # a connection that takes too long to be made says it itself
                raise NoneFree(f"no connection: all {self.max_connections} are in use") from error
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Take it back; one that is to be made anew is closed, and nobody waits for that.

        The driver waits, holding a lock. Whoever was cancelled while waiting for that lock never gave theirs back.
        """
        if connection.should_reconnect():  # type: ignore[no-untyped-call]
            await connection.disconnect(nowait=True)
        await super().release(connection)

    async def leave(self) -> None:
        """Have each made anew before it is used again."""
        await self.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
        for connection in self._available_connections:
            await connection.disconnect(nowait=True)
