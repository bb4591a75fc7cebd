"""The sorted set of all time in Redis, after Redis has lost some of it or all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import structlog
import trio
from redis.asyncio import Redis

from actors.ports import ALL_TIME, StoreUnavailable, UserId
from scoreboard.server import whole_set
from scoreboard.server.whole_set import keep_whole
from scoreboard.stores.opening import Stores
from scoreboard.stores.redis_whole import FILLING_S, RedisWhole
from tests.contract.making import real_world, write
from tests.vault import open_stores

pytestmark = pytest.mark.stores

#: Who fills it and gives up keeps others waiting for a while.
SOON_S = 3 * FILLING_S
KEY = f"leaderboard:{ALL_TIME}"


@asynccontextmanager
async def keeping(postgres_url: str, redis_url: str) -> AsyncIterator[tuple[Stores, Stores]]:
    """Two workers that look all the time, and three players."""
    async with open_stores(postgres_url, redis_url) as one, open_stores(postgres_url, redis_url) as other:
        world = real_world(one)
        for name, points in (("Ann", 1), ("Bob", 2), ("Eve", 3)):
            await world.scores.commit([write(await world.player(name), points=points)])
        async with trio.open_nursery() as nursery:
            for stores in (one, other):
                nursery.start_soon(partial(_keep, stores))
            yield one, other
            nursery.cancel_scope.cancel()


async def _keep(stores: Stores) -> None:
    await keep_whole(RedisWhole(stores.redis), stores.scores, stores.cache, structlog.get_logger(), _soon)


async def _soon(_seconds: float) -> None:
    await trio.sleep(0.01)


async def until(stores: Stores, found: Callable[[dict[UserId, int]], bool]) -> None:
    """What readers find is that."""
    with trio.fail_after(SOON_S):
        while not found(dict(await stores.cache.top(ALL_TIME, 10))):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)


def whole(found: dict[UserId, int]) -> bool:
    """Everybody with all that they have."""
    return sorted(found.values()) == [1, 2, 3]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few players are several pages."""
    monkeypatch.setattr(whole_set, "PAGE", 2)


async def test_a_set_that_redis_lost_fills_by_itself(postgres_url: str, redis_url: str) -> None:
    """Each time; also when scores have come in between, and the set is not empty."""
    async with keeping(postgres_url, redis_url) as (one, other):
        for has_come in ([], [], await other.scores.members_after(None, 1)):
            await one.redis.run(Redis.flushall)
            await one.cache.put(ALL_TIME, has_come)
            await until(other, whole)
            await settled(one)


async def test_after_a_failover_the_set_is_filled_over_what_is_there(postgres_url: str, redis_url: str) -> None:
    """Another Redis is another generation: it may lack what was written last, and its scores are raised."""
    async with keeping(postgres_url, redis_url) as (one, _):
        await settled(one)
        best = max(dict(await one.cache.top(ALL_TIME, 10)))

        async def be_another(client: Redis) -> None:
            await client.zadd(KEY, {best: 0})
            await client.set(f"whole:{ALL_TIME}", "another generation")

        await one.redis.run(be_another)
        await until(one, whole)
        await settled(one)


async def settled(stores: Stores) -> None:
    """It is marked to be whole."""
    with trio.fail_after(SOON_S):
        while await RedisWhole(stores.redis).lost() is not None:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)


async def test_who_fills_it_and_dies_is_followed_by_another(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it has said nothing for a while; and where Redis is emptied meanwhile it begins once more."""
    async with open_stores(postgres_url, redis_url) as stores:
        dead, next_one = RedisWhole(stores.redis), RedisWhole(stores.redis)
        assert await dead.claim() is not None
        assert await next_one.claim() is None
        await stores.redis.run(lambda client: client.pexpire(f"filling:{ALL_TIME}", 1))
        with trio.fail_after(SOON_S):
            while await next_one.claim() is None:  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.01)
        for late in (dead.go_on(), dead.filled("generation")):
            with pytest.raises(StoreUnavailable):
                await late
        await stores.redis.run(Redis.flushall)
        with pytest.raises(StoreUnavailable):
            await next_one.filled("generation")
        assert await next_one.lost() is not None
