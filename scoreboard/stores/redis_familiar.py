"""From where players have signed in, for all workers: marks, by when that was last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from scoreboard.stores.redis_pool import Cache

#: What is told at once; and how far a clock that another Redis has after a failover may lie behind.
PAGE, BEHIND_MS = 2_000, 5_000
#: Adds the marks by Redis' own clock, forgets the oldest and those that are too old, and tells what came since.
SCRIPT = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local since, most, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for at = 4, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[at]) end
if #ARGV > 3 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - kept)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -most - 1)
  redis.call('PEXPIRE', KEYS[1], kept)
end
return redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', 0, {PAGE})
"""


class RedisFamiliar:
    """A sorted set ``<prefix>signed-in``, of so many marks and for so long at most. One reader each.

    Redis may lose it: then it fills again, and workers go on with what they have heard.
    """

    def __init__(self, cache: Cache, *, most: int, kept_s: float = 90 * 86_400.0) -> None:
        self._cache = cache
        self._script = cache.client.register_script(SCRIPT)
        self._most = most
        self._kept_ms = round(kept_s * 1000)
        self._since_ms = 0

    def __repr__(self) -> str:
        return f"<RedisFamiliar {self._cache.prefix}signed-in, read up to {self._since_ms}>"

    async def exchange(self, marks: Sequence[str]) -> tuple[list[str], bool]:
        """Tell the others of these; what they have told, the oldest first, some of it again; and whether that is all.

        Raises StoreUnavailable: then it is asked again.
        """
        key = f"{self._cache.prefix}signed-in"

        async def work(client: Redis) -> Any:
            args: list[int | str] = [self._since_ms, self._most, self._kept_ms, *marks]
            return await self._script(keys=[key], args=args, client=client)

        found: list[bytes] = await self._cache.run(work)
        is_all = len(found) < 2 * PAGE
        if found:
            last_ms = int(float(found[-1]))
            self._since_ms = last_ms - BEHIND_MS if is_all else max(last_ms, self._since_ms + 1)
        return [mark.decode() for mark in found[::2]], is_all
