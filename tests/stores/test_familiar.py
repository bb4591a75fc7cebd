"""From where players signed in, in Redis."""

from __future__ import annotations

from typing import Any

import pytest

from scoreboard.stores.redis_familiar import PAGE, RedisFamiliar
from tests.vault import open_stores

pytestmark = pytest.mark.stores


async def test_what_one_worker_tells_others_hear_also_one_that_starts(postgres_url: str, redis_url: str) -> None:
    """Once the oldest is too old it is forgotten, and the whole by itself."""
    async with open_stores(postgres_url, redis_url) as stores:
        one, two = (RedisFamiliar(stores.redis, most=100) for _ in range(2))
        assert ([], True) == await two.exchange([])
        assert (["a", "b"], True) == await one.exchange(["a", "b"])
        heard, _ = await two.exchange(["c"])
        assert {"a", "b", "c"} == set(heard)
        assert {"a", "b", "c"} == set((await RedisFamiliar(stores.redis, most=100).exchange([]))[0])
        key = f"{stores.redis.prefix}signed-in"
        left_s = await stores.redis.run(lambda client: client.ttl(key))
        assert 89 * 86_400 < left_s <= 90 * 86_400
        await stores.redis.run(lambda client: client.zadd(key, {"a": 1.0}))
        await one.exchange(["d"])
        assert {"b", "c", "d"} == set(await members(stores, key))


async def test_so_many_are_kept_those_who_came_last(postgres_url: str, redis_url: str) -> None:
    """Whoever tells of them."""
    async with open_stores(postgres_url, redis_url) as stores:
        few = RedisFamiliar(stores.redis, most=2)
        key = f"{stores.redis.prefix}signed-in"
        await few.exchange(["a"])
        await stores.redis.run(lambda client: client.zincrby(key, -5.0, "a"))
        await few.exchange(["b"])
        await stores.redis.run(lambda client: client.zincrby(key, -2.0, "b"))
        await few.exchange(["c"])
        assert {"b", "c"} == set(await members(stores, key))


async def test_a_worker_that_starts_reads_page_by_page(postgres_url: str, redis_url: str) -> None:
    """So that no answer holds it up; also if all of a page came in one moment."""
    async with open_stores(postgres_url, redis_url) as stores:
        key = f"{stores.redis.prefix}signed-in"
        scores = {str(number): 1000.0 + number // (PAGE + 1) for number in range(2 * PAGE)}
        await stores.redis.run(lambda client: client.zadd(key, scores))
        reader, pages = RedisFamiliar(stores.redis, most=10 * PAGE), list[list[str]]()
        is_all = False
        while not is_all:
            heard, is_all = await reader.exchange([])
            pages.append(heard)
        assert PAGE == len(pages[0]) == max(map(len, pages))
        assert len(pages) <= 4
        assert len(scores) - 1 <= len({mark for page in pages for mark in page})


async def members(stores: Any, key: str) -> list[str]:
    """All of them."""
    found = await stores.redis.run(lambda client: client.zrange(key, 0, -1))
    return [mark.decode() for mark in found]
