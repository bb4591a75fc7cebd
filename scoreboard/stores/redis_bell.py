"""A bell that all workers may ring: a counter, which unlike a message cannot be missed by who listens now and then."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from scoreboard.stores.redis_pool import Cache


class RedisBell:
    """`Bell` on the key ``<prefix>announcements``, a number that grows. It holds nothing that could be believed."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._key = f"{cache.prefix}announcements"

    def __repr__(self) -> str:
        return f"<RedisBell {self._key}>"

    async def ring(self) -> None:
        """See `Bell.ring`."""

        async def work(client: Redis) -> Any:
            return await client.incr(self._key)

        await self._cache.run(work)

    async def heard(self) -> object:
        """See `Bell.heard`. After Redis has lost its memory that is another number, too, or none."""

        async def work(client: Redis) -> Any:
            return await client.get(self._key)

        return await self._cache.run(work)
