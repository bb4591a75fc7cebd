"""Limits that hold over all workers: one script for all who wait, by Redis' own clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from actors.ports import Taken, Wanted
from scoreboard.stores.redis_pool import Cache

_DOUBLINGS = 20
_NUMBERS = 7  # for each key
#: As ``actors.limits.windows`` counts; all times in milliseconds. A window that would end later than it may was
#: opened by a clock that was ahead, and begins anew: only who went beyond waits for longer than a period.
SCRIPT = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local told = {{}}
for i, key in ipairs(KEYS) do
  local first = {_NUMBERS} * (i - 1)
  local count, period = tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2])
  local most, quiet = tonumber(ARGV[first + 3]), tonumber(ARGV[first + 4])
  local more, refused, at = tonumber(ARGV[first + 5]), ARGV[first + 6] == '1', now - tonumber(ARGV[first + 7])
  local kept = redis.call('HMGET', key, 'used', 'ends', 'strikes', 'forgiven', 'exceeded')
  local used, ends = tonumber(kept[1]) or 0, tonumber(kept[2]) or 0
  local strikes, forgiven = tonumber(kept[3]) or 0, tonumber(kept[4]) or 0
  local exceeded = tonumber(kept[5]) or 0
  local longest = exceeded == 1 and most or period
  if at >= ends - period / 200 or ends - now > longest then
    used, ends, exceeded = 0, at + period, 0
    if at >= forgiven or forgiven - now > most + quiet then strikes = 0 end
  end
  used = used + more
  if (refused or used > count) and exceeded == 0 then
    ends = ends + math.max(0, math.min(period * 2 ^ math.min(strikes, {_DOUBLINGS}), most) - period)
    exceeded, strikes, forgiven = 1, strikes + 1, ends + quiet
  end
  redis.call('HSET', key, 'used', used, 'ends', ends, 'strikes', strikes, 'forgiven', forgiven, 'exceeded', exceeded)
  redis.call('PEXPIREAT', key, math.max(ends, forgiven))
  told[2 * i - 1], told[2 * i] = used, math.max(0, ends - now)
end
return told
"""


class RedisLimits:
    """`SharedLimits` on hashes ``<prefix>rate-limit:<key>``, which expire when nothing in them counts any more."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._script = cache.client.register_script(SCRIPT)

    def __repr__(self) -> str:
        return f"<RedisLimits {self._cache.prefix}rate-limit:*>"

    async def take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """See `SharedLimits.take`."""
        keys = [f"{self._cache.prefix}rate-limit:{each.key}" for each in wanted]
        numbers = [number for each in wanted for number in _numbers(each)]

        async def work(client: Redis) -> Any:
            return await self._script(keys=keys, args=numbers, client=client)

        told: list[int] = await self._cache.run(work)
        return [_taken(each, *pair) for each, pair in zip(wanted, zip(told[::2], told[1::2], strict=True), strict=True)]


def _numbers(wanted: Wanted) -> tuple[int, ...]:
    quota = wanted.quota
    of_quota = (quota.count, _ms(quota.period_s), _ms(quota.most_s), _ms(quota.forgiven_s))
    return *of_quota, wanted.count, int(wanted.refused), _ms(wanted.ago_s)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _taken(wanted: Wanted, used: int, left_ms: int) -> Taken:
    count = wanted.quota.count
    return Taken(count, max(0, count - used), left_ms / 1000, used <= count)
