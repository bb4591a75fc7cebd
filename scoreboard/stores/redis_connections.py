"""Connections to Redis that are lent and come back, whenever those who have them give up."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection


class Connections(BlockingConnectionPool):
    """As the driver's, but that none is lost. For asyncio."""

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
