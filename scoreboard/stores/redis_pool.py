"""Connections to Redis (or Valkey) for code that runs on Trio; the one place that translates the driver's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from trio_asyncio import TrioEventLoop

from actors.ports import StoreUnavailable

Result = TypeVar("Result")


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


@dataclass(frozen=True, slots=True)
class Cache:
    """A client that tasks of Trio may use, whichever nursery they stand in. All keys begin with `prefix`."""

    loop: TrioEventLoop
    client: Redis
    prefix: str = ""
    within_s: float = 3.0

    async def run(self, work: Callable[[Redis], Awaitable[Result]]) -> Result:
        """Do `work` with the client within a bounded time; raises StoreUnavailable, after which it may stand or not."""
        result: Result = await self.loop.run_aio_coroutine(self._unit(work))
        return result

    async def _unit(self, work: Callable[[Redis], Awaitable[Result]]) -> Result:
        try:
            async with asyncio.timeout(self.within_s):
                return await work(self.client)
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis: {error!r}") from error
