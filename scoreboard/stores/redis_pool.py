"""Connections to Redis (or Valkey) for code that runs on Trio; the one place that translates the driver's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from trio_asyncio import TrioEventLoop

from actors.ports import StoreUnavailable
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.redis_connections import Connections, NoneFree
from scoreboard.stores.redis_nodes import PrimaryPool, nodes_in

Result = TypeVar("Result")

#: It was not heard, or cannot serve whatever it is asked.
AWAY = (redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.ReadOnlyError, OSError)


def open_redis(url: str, *, connections: int = 4, within_s: float = 2.0) -> Redis:
    """A client that connects when first used, to the primary if the URL names several. For asyncio.

    It never repeats a command by itself: the driver would do so three times, and an entry would stand in a stream
    twice.
    """
    bounds: dict[str, Any] = {
        "max_connections": connections,
        "timeout": within_s,
        "socket_timeout": within_s,
        "socket_connect_timeout": within_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    nodes = nodes_in(url)
    return Redis.from_pool(Connections.from_url(url, **bounds) if nodes is None else PrimaryPool(nodes, **bounds))


def prober(*clients: Redis) -> Callable[[], Awaitable[None]]:
    """Asks through the first client whether it takes writes; raises StoreUnavailable. For asyncio.

    A connection to one that does not is left, for the next may lead to another server; and when one is found that does,
    all connections of all clients are.
    """

    async def probe() -> None:
        try:
            role: list[Any] = await clients[0].role()
        except redis_errors.NoPermissionError:
            role = [b"master"]  # it answers; whether it takes writes is seen by the next one
        except (redis_errors.RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis: {error!r}") from error
        if role[0] != b"master":
            await _leave(clients[0])
            raise StoreUnavailable("this Redis only reads: it is a replica")
        for client in clients:
            await _leave(client)

    return probe


async def _leave(client: Redis) -> None:
    """Have each connection made anew before it is used again."""
    pool: Any = client.connection_pool
    with suppress(redis_errors.RedisError, OSError):
        await pool.leave()


@dataclass(frozen=True, slots=True)
class Cache:
    """A client that tasks of Trio may use, whichever nursery they stand in. All keys begin with `prefix`."""

    loop: TrioEventLoop
    client: Redis
    breaker: Breaker
    prefix: str = ""
    within_s: float = 3.0

    async def run(self, work: Callable[[Redis], Awaitable[Result]]) -> Result:
        """Do `work` with the client within a bounded time; raises StoreUnavailable, after which it may stand or not."""
        result: Result = await self.loop.run_aio_coroutine(self._unit(work))
        return result

    async def _unit(self, work: Callable[[Redis], Awaitable[Result]]) -> Result:
        self.breaker.check()
        heard = self.breaker.heard
        try:
            with self.breaker.noticing():
                async with asyncio.timeout(self.within_s):
                    result = await work(self.client)
        except (redis_errors.RedisError, OSError) as error:
            if isinstance(error, NoneFree):
                self.breaker.crowded(error, heard)
                raise StoreUnavailable(f"Redis: {error}") from error
            if isinstance(error, AWAY):
                self.breaker.lost(error)
            else:
                self.breaker.answered()
            raise StoreUnavailable(f"Redis: {error!r}") from error
        except Exception as error:
            # The driver does not translate what it stumbles over in an answer that is none of Redis.
            self.breaker.troubled(error, unforeseen=True)
            self.breaker.lost(error)
            raise StoreUnavailable(f"Redis: {error!r}") from error
        self.breaker.answered()
        return result
