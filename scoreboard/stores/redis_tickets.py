"""The tickets that were used, for all workers."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from actors.ports import StoreUnavailable
from scoreboard.stores.redis_pool import Cache


class RedisTickets:
    """Keys ``<prefix>live-ticket:<name>`` that expire by themselves."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def __repr__(self) -> str:
        return f"<RedisTickets {self._cache.prefix}live-ticket:*>"

    async def first_use(self, name: str, within_s: int) -> bool | None:
        """Whether nobody used it before, which is remembered for so long; None while Redis does not answer."""
        key = f"{self._cache.prefix}live-ticket:{name}"

        async def work(client: Redis) -> Any:
            return await client.set(key, b"1", nx=True, ex=within_s)

        try:
            return await self._cache.run(work) is not None
        except StoreUnavailable:
            return None
