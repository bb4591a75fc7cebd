"""The board in Redis: a sorted set of totals and a hash for each player, under the names of the contract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import trio
from redis.asyncio import Redis

from actors.ports import BoardId, ScoreFact, StoreUnavailable, UserId
from scoreboard.stores.redis_pool import Cache

#: A name that was put is not put again for so many seconds: that would be a command more for each score, and names
#: hardly ever change. What Redis forgets is back after that time.
NAMES_S = 60.0
MOST_NAMES = 200_000


class RedisBoardCache:
    """`BoardCache` on ``<prefix>leaderboard:<board>`` and ``<prefix>user:<id>``."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._named: dict[UserId, str] = {}
        self._forget_at = -math.inf

    def _board(self, board: BoardId) -> str:
        return f"{self._cache.prefix}leaderboard:{board}"

    async def put(self, board: BoardId, facts: Sequence[ScoreFact]) -> None:
        """See `BoardCache.put`."""
        if not facts:
            return
        scores: dict[str, int] = {}
        for fact in facts:
            scores[fact.user_id] = max(fact.score, scores.get(fact.user_id, 0))
        names = self._unnamed(facts)

        async def work(client: Redis) -> None:
            pipeline = client.pipeline(transaction=False)
            # Never lower: two workers may bring the facts of one player in either order.
            pipeline.zadd(self._board(board), scores, gt=True)
            for user_id, username in names.items():
                pipeline.hset(f"{self._cache.prefix}user:{user_id}", "username", username)
            await pipeline.execute()

        try:
            await self._cache.run(work)
        except StoreUnavailable:
            self._named.clear()
            raise
        self._named.update(names)

    def _unnamed(self, facts: Sequence[ScoreFact]) -> dict[UserId, str]:
        """The names that Redis may not have."""
        now = trio.current_time()
        if now >= self._forget_at or len(self._named) > MOST_NAMES:
            self._named.clear()
            self._forget_at = now + NAMES_S
        return {fact.user_id: fact.username for fact in facts if self._named.get(fact.user_id) != fact.username}

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """See `BoardCache.top`."""
        if limit <= 0:
            return []

        async def work(client: Redis) -> Any:
            return await client.zrevrange(self._board(board), 0, limit - 1, withscores=True)

        rows: list[tuple[bytes, float]] = await self._cache.run(work)
        return [(UserId(member.decode()), int(score)) for member, score in rows]

    async def clear(self, board: BoardId) -> None:
        """See `BoardCache.clear`."""
        await self._cache.run(lambda client: client.unlink(self._board(board)))
