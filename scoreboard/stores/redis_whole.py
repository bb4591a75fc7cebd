"""Whether the sorted set of the board of all time has everybody, which only a mark beside it can tell."""

from __future__ import annotations

import secrets
from typing import Any

from redis.asyncio import Redis

from actors.ports import ALL_TIME, StoreUnavailable
from scoreboard.stores.redis_pool import Cache

#: Who fills the set says so again before this time is over, in seconds; then somebody else may.
FILLING_S = 30

#: Does nothing for who has not claimed it, or not since Redis was emptied.
AS_CLAIMED = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
if ARGV[3] ~= '' then
    redis.call('SET', KEYS[2], ARGV[3])
    redis.call('DEL', KEYS[1])
end
return 1
"""

LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class RedisWhole:
    """Keys ``<prefix>whole:all_time``, the mark, and ``<prefix>filling:all_time``, which of the workers fills the set.

    The mark names the generation of Redis' data in which the set was filled. Behind a failover, or a start, there is
    another, which may lack what was written last; where the mark or the set is missing, Redis was emptied. All methods
    raise StoreUnavailable.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._set, self._mark, self._filling = (
            f"{cache.prefix}{kind}:{ALL_TIME}" for kind in ("leaderboard", "whole", "filling")
        )
        self._whose = secrets.token_hex(8)

    def __repr__(self) -> str:
        return f"<RedisWhole {self._mark}>"

    async def lost(self) -> str | None:
        """The present generation, if in it nobody has filled the set; None if somebody has."""

        async def work(client: Redis) -> Any:
            told = await client.info("replication")
            return (
                str(told.get("master_replid", "unknown")),
                await client.get(self._mark),
                await client.exists(self._set),
            )

        generation, mark, there = await self._cache.run(work)
        return None if there and mark == generation.encode() else generation

    async def claim(self) -> str | None:
        """As `lost`, and nobody else may fill it for so long; None also if somebody does.

        It is looked at once more with the claim in hand: somebody may just have done it.
        """

        async def work(client: Redis) -> Any:
            return await client.set(self._filling, self._whose, ex=FILLING_S, nx=True)

        if await self.lost() is None or not await self._cache.run(work):
            return None
        generation = await self.lost()
        if generation is None:
            await self._cache.run(self._leave)
        return generation

    async def _leave(self, client: Redis) -> None:
        await client.eval(LEAVE, 1, self._filling, self._whose)

    async def go_on(self) -> None:
        """For so long again; raises StoreUnavailable also if this worker may not, for Redis was emptied meanwhile."""
        await self._as_claimed("")

    async def filled(self, generation: str) -> None:
        """It was, and that began in this generation. Raises as `go_on`."""
        await self._as_claimed(generation)

    async def _as_claimed(self, mark: str) -> None:
        keys, arguments = (self._filling, self._mark), (self._whose, FILLING_S, mark)

        async def work(client: Redis) -> Any:
            return await client.eval(AS_CLAIMED, 2, *keys, *arguments)

        if not await self._cache.run(work):
            raise StoreUnavailable("Redis lost what was filled")
