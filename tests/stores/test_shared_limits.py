"""Windows in Redis that were opened by a clock which was ahead."""

from __future__ import annotations

import time
from typing import Any

import pytest

from actors.ports import Quota, Taken, Wanted
from tests.vault import open_stores

pytestmark = pytest.mark.stores

#: A minute, and a quarter of an hour for who goes beyond it again and again.
QUOTA = Quota(5, longest_s=900)


async def taken(postgres_url: str, redis_url: str, ends_in_s: float, *, exceeded: bool) -> Taken:
    """What becomes of one more, where four are in a window that ends then by Redis' clock."""
    async with open_stores(postgres_url, redis_url) as stores:
        ends_ms = round((time.time() + ends_in_s) * 1000)
        kept = {"used": 4, "ends": ends_ms, "strikes": 0, "forgiven": 0, "exceeded": int(exceeded)}

        async def prepare(client: Any) -> None:
            await client.hset(f"{stores.redis.prefix}rate-limit:a", mapping=kept)

        await stores.redis.run(prepare)
        [told] = await stores.limits.take([Wanted("a", QUOTA)])
        return told


@pytest.mark.parametrize("ahead_s", [100, 700, 5_000])
async def test_a_clock_that_is_set_back_keeps_nobody_waiting(postgres_url: str, redis_url: str, ahead_s: float) -> None:
    """A window that nobody has exceeded ends within its period; one that would end later begins anew."""
    told = await taken(postgres_url, redis_url, ahead_s, exceeded=False)
    assert (4, True) == (told.remaining, told.allowed)
    assert told.reset_s <= QUOTA.period_s


async def test_who_has_gone_beyond_waits_as_long_as_was_told(postgres_url: str, redis_url: str) -> None:
    """Such a window may end as late as anybody ever waits."""
    told = await taken(postgres_url, redis_url, 700, exceeded=True)
    assert 690 < told.reset_s <= 700


async def test_a_window_of_now_goes_on(postgres_url: str, redis_url: str) -> None:
    """Half of it is left."""
    told = await taken(postgres_url, redis_url, 30, exceeded=False)
    assert (0, True) == (told.remaining, told.allowed)
    assert 20 < told.reset_s <= 30
