"""Answers that are kept for who asks again, for all workers."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from actors.ports import StoreUnavailable
from scoreboard.stores.redis_pool import Cache


class RedisAnswers:
    """Keys ``<prefix>answer:<name>`` that expire by themselves. Without Redis nothing is kept."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def __repr__(self) -> str:
        return f"<RedisAnswers {self._cache.prefix}answer:*>"

    async def find(self, name: str) -> bytes | None:
        """What is kept under this name, None if nothing is or Redis does not answer."""
        return await self._run(lambda client: client.get(self._key(name)))

    async def keep(self, name: str, answer: bytes, within_s: int) -> bytes:
        """Keep it for so long, unless there is one: the one that is kept."""
        before = await self._run(lambda client: client.set(self._key(name), answer, nx=True, get=True, ex=within_s))
        return answer if before is None else before

    def _key(self, name: str) -> str:
        return f"{self._cache.prefix}answer:{name}"

    async def _run(self, work: Any) -> bytes | None:
        async def unit(client: Redis) -> Any:
            return await work(client)

        try:
            found: bytes | None = await self._cache.run(unit)
        except StoreUnavailable:
            return None
        return found
