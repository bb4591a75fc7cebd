"""What is left of calls to stores which nothing has reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import trio

from actors.ports import StoreError
from scoreboard.stores.opening import Stores
from tests.contract.making import write
from tests.stores.bounds import CUTTING
from tests.stores.test_breaker import back
from tests.stores.test_losses import SOON_S, between, score_of

pytestmark = pytest.mark.stores


async def tasks_of(stores: Stores) -> int:
    """Those of the drivers' loop."""

    async def count() -> int:
        return len(asyncio.all_tasks())

    number: int = await stores.database.loop.run_aio_coroutine(count())
    return number


async def until_no_more_than(stores: Stores, tasks: int) -> None:
    """Wait for what is still coming to its end."""
    with trio.fail_after(SOON_S):
        while await tasks_of(stores) > tasks:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.02)


async def test_no_task_is_left_of_what_went_nowhere(postgres_url: str, redis_url: str) -> None:
    """Neither of who waited to the end, nor of who gave up; not for as long as nothing goes through, either."""
    async with between(postgres_url, redis_url, replace(CUTTING, command_s=1.5, connect_s=1)) as world:
        stores, proxies = world.stores, (world.postgres, world.redis)
        [fact] = await stores.scores.members_after(None, 10)
        before = await tasks_of(stores)
        asked = write(world.ann)
        for proxy in proxies:
            proxy.swallows = True
        async with trio.open_nursery() as nursery:
            for within_s in (0.2, 1.2, SOON_S):
                nursery.start_soon(gives_up, lambda: stores.scores.commit([asked]), within_s)
                nursery.start_soon(gives_up, lambda: stores.events.append([fact]), within_s)
        await until_no_more_than(stores, before + 2 + 2)  # who asks whether they are back, and what that waits for
        for proxy in proxies:
            proxy.swallows = False
        for breaker in (stores.database.breaker, stores.redis.breaker):
            await back(breaker)
        await stores.scores.commit([asked])
        assert 2 == await score_of(stores)
        await until_no_more_than(stores, before)


async def gives_up(ask: Callable[[], Awaitable[object]], within_s: float) -> None:
    """Ask, and wait so long."""
    with suppress(StoreError), trio.move_on_after(within_s):
        await ask()
