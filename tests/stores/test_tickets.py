"""Used tickets in Redis."""

from __future__ import annotations

import pytest

from scoreboard.stores.redis_tickets import RedisTickets
from tests.vault import open_stores

pytestmark = pytest.mark.stores


async def test_the_first_use_is_seen_by_all_workers(postgres_url: str, redis_url: str) -> None:
    """And forgotten by itself when nobody can use the ticket any more."""
    async with open_stores(postgres_url, redis_url) as stores:
        one, two = RedisTickets(stores.redis), RedisTickets(stores.redis)
        assert await one.first_use("a", 30) is True
        assert await two.first_use("a", 30) is False
        assert await two.first_use("b", 30) is True
        left_s = await stores.redis.run(lambda client: client.ttl(f"{stores.redis.prefix}live-ticket:a"))
        assert 0 < left_s <= 30
