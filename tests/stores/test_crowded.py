"""Connections of ours that are all in use: that says nothing of the store, as long as others hear from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import trio

from actors.ports import StoreUnavailable
from scoreboard.stores.opening import Readiness, Stores
from tests.stores.bounds import UNHURRIED
from tests.vault import open_stores

pytestmark = pytest.mark.stores

Ask = Callable[[], Awaitable[Any]]
#: Who waits for a connection to Postgres gives up after so long; of Redis it is two seconds.
SOON = replace(UNHURRIED, acquire_s=0.5)


@asynccontextmanager
async def heard(ask: Ask) -> AsyncIterator[None]:
    """Somebody who has a connection is answered ten times a second."""

    async def ask_on() -> None:
        while True:
            await ask()
            await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_on)
        yield
        nursery.cancel_scope.cancel()


async def in_vain(ask: Ask, askers: int = 4) -> None:
    """So many ask at once, and have no connection."""

    async def lose() -> None:
        with pytest.raises(StoreUnavailable, match="in use"):
            await ask()

    async with trio.open_nursery() as nursery:
        for _ in range(askers):
            nursery.start_soon(lose)


@asynccontextmanager
async def redis_taken(stores: Stores) -> AsyncIterator[None]:
    """The one connection to Redis is somebody else's."""
    pool: Any = stores.redis.client.connection_pool

    async def take() -> Any:
        return await pool.get_connection()

    async def give_back() -> None:
        await pool.release(taken)

    taken = await stores.redis.loop.run_aio_coroutine(take())
    try:
        yield
    finally:
        await stores.redis.loop.run_aio_coroutine(give_back())


async def ping(stores: Stores) -> Any:
    """Through the connections of all."""
    return await stores.redis.run(lambda client: client.ping())


async def test_redis_is_not_away_because_all_connections_to_it_are_in_use(postgres_url: str, redis_url: str) -> None:
    """Who waits in vain is told so; whoever has a connection goes on."""
    async with open_stores(postgres_url, redis_url, redis_connections=1) as stores:
        async with redis_taken(stores), heard(lambda: stores.events.read("0-0", 1)):
            await in_vain(lambda: ping(stores))
            assert not stores.redis.breaker.away
            assert Readiness(postgres=True, redis=True) == await stores.ping()
        assert await ping(stores)


async def test_redis_is_not_away_because_those_who_wait_for_a_connection_give_up(
    postgres_url: str, redis_url: str
) -> None:
    """Most wait less long than the pool has them wait."""
    async with open_stores(postgres_url, redis_url, redis_connections=1) as stores:
        async with redis_taken(stores), heard(lambda: stores.events.read("0-0", 1)):
            for _ in range(2):
                with trio.move_on_after(1.25):
                    await ping(stores)
            assert not stores.redis.breaker.away


async def test_a_redis_of_which_nobody_hears_is_away_though_it_is_connections_that_lack(
    postgres_url: str, redis_url: str
) -> None:
    """Those who have them may be waiting for it: then nobody is answered."""
    async with open_stores(postgres_url, redis_url, redis_connections=1) as stores, redis_taken(stores):
        await in_vain(lambda: ping(stores))
        assert stores.redis.breaker.away


async def test_postgres_is_not_away_because_all_connections_to_it_are_in_use(postgres_url: str, redis_url: str) -> None:
    """Likewise; readiness tells that it is there, as those know who are answered."""
    async with open_stores(postgres_url, redis_url, postgres_connections=1, bounds=SOON) as stores:

        async def ask() -> Any:
            return await stores.database.run(lambda connection: connection.fetchval("SELECT 1"))

        async with stores.database.holding() as held:
            async with heard(lambda: stores.database.use(lambda: held.fetchval("SELECT 1"))):
                await in_vain(ask)
                assert not stores.database.breaker.away
        assert 1 == await ask()
