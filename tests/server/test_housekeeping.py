"""What a server does beside its work, on real stores."""

from __future__ import annotations

import pytest

from actors.ports import Committed, Repeated, ScoreWrite
from scoreboard.server.housekeeping import KEPT_US, forget_old
from scoreboard.stores.opening import Stores
from tests.contract.making import again, real_world, write
from tests.fakes.system import SetClock
from tests.vault import open_stores

pytestmark = pytest.mark.stores

WEEKS_S = 8 * 7 * 86_400
MINUTE_US = 60_000_000


async def long_ago(stores: Stores, now_us: int) -> ScoreWrite:
    """A score whose token may be forgotten a minute before that."""
    player = await real_world(stores).player("Ann")
    return write(player, "key")._replace(token_expires_us=now_us - KEPT_US - MINUTE_US)


async def test_a_worker_whose_clock_is_ahead_forgets_nothing_that_others_still_need(
    postgres_url: str, redis_url: str
) -> None:
    """Otherwise a token that is spent would count once more at a worker whose clock is right."""
    async with open_stores(postgres_url, redis_url) as stores:
        now_us = await stores.scores.now_us()
        old = await long_ago(stores, now_us)
        young = write(old.user_id, "other")._replace(token_expires_us=now_us + MINUTE_US)
        assert [Committed, Committed] == [type(outcome) for outcome in await stores.scores.commit([old, young])]
        assert 1 == await forget_old(stores, SetClock(ahead_s=WEEKS_S + now_us / 1_000_000))
        assert [Repeated] == [type(outcome) for outcome in await stores.scores.commit([again(young)])]


async def test_a_worker_whose_clock_is_behind_forgets_nothing_that_it_still_needs(
    postgres_url: str, redis_url: str
) -> None:
    """It takes tokens that others hold to be old."""
    async with open_stores(postgres_url, redis_url) as stores:
        now_us = await stores.scores.now_us()
        old = await long_ago(stores, now_us)
        await stores.scores.commit([old])
        clock = SetClock()
        clock.ahead_s += (now_us - 2 * MINUTE_US - clock.now_us()) / 1_000_000
        assert 0 == await forget_old(stores, clock)
