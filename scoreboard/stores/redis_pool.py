"""Connections to Redis (or Valkey) for code that runs on Trio; the one place that translates the driver's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import exceptions as redis_errors
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from trio_asyncio import TrioEventLoop

from actors.ports import StoreUnavailable
from scoreboard.stores.breaker import Breaker

Result = TypeVar("Result")

#: It was not heard, or cannot serve whatever it is asked.
AWAY = (redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.ReadOnlyError, OSError)


def open_redis(url: str, *, connections: int = 4, within_s: float = 2.0) -> Redis:
    """A client that connects when first used. For asyncio.

    It never repeats a command by itself: the driver would do so three times, and an entry would stand in a stream
    twice.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=within_s,
        socket_timeout=within_s,
        socket_connect_timeout=within_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)


def prober(client: Redis) -> Callable[[], Awaitable[None]]:
    """Asks whether it takes writes; raises StoreUnavailable. For asyncio."""

    async def probe() -> None:
        try:
            role: list[Any] = await client.role()
        except redis_errors.NoPermissionError:
            return  # it answers; whether it takes writes is seen by the next one
        except (redis_errors.RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis: {error!r}") from error
        if role[0] != b"master":
            raise StoreUnavailable("this Redis only reads: it is a replica")

    return probe


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
        try:
            with self.breaker.noticing():
                async with asyncio.timeout(self.within_s):
                    result = await work(self.client)
        except (redis_errors.RedisError, OSError) as error:
            if isinstance(error, AWAY):
                self.breaker.lost(error)
            else:
                self.breaker.answered()
            raise StoreUnavailable(f"Redis: {error!r}") from error
        self.breaker.answered()
        return result
