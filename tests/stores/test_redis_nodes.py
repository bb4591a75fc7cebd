"""Several Redis nodes by one URL, with Sentinel and without: now one, now the other is the primary."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio_asyncio
from trio.to_thread import run_sync as in_thread

from scoreboard.stores import redis_pool
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.primary import Host
from scoreboard.stores.redis_nodes import nodes_in
from scoreboard.stores.redis_pool import Cache, open_redis
from tests.redis_servers import RedisServers, redis_servers
from tests.stores.proxy import proxied
from tests.stores.test_breaker import back, lose

#: So many times in a row it has ended before it was given up: no step is left.
FINISHED = 5
SECRETS = "redis+sentinel://me:p%40ss@one:1,[::1]/boards/3?sentinel_password=own&socket_keepalive=1"


def test_a_url_tells_of_nodes_or_of_sentinels() -> None:
    """Each has its own password; without a port it is where such servers are."""
    found = nodes_in(SECRETS)
    assert found is not None
    assert (Host("one", 1), Host("::1", 26379)) == found.hosts
    assert ("boards", {"password": "own"}) == (found.service, found.of_sentinels)
    assert ("me", "p@ss", 3) == tuple(found.options[name] for name in ("username", "password", "db"))
    assert found.options["socket_keepalive"] is True
    nodes = nodes_in("redis://:pw@one,two:7/2")
    assert nodes is not None
    assert ((Host("one", 6379), Host("two", 7)), None) == (nodes.hosts, nodes.service)
    assert ("pw", 2) == (nodes.options["password"], nodes.options["db"])


def test_with_tls_nodes_and_sentinels_speak_it() -> None:
    """By the same authority."""
    found = nodes_in("rediss+sentinel://one/boards?ssl_ca_certs=/ca.pem")
    assert found is not None
    assert {"ssl": True, "ssl_ca_certs": "/ca.pem"} == found.of_sentinels
    assert ("SSLConnection", "/ca.pem") == (found.options["connection_class"].__name__, found.options["ssl_ca_certs"])


@pytest.mark.parametrize("url", ["redis://one:1/0", "rediss://one", "unix:///run/valkey.sock"])
def test_one_place_is_connected_to_as_it_is(url: str) -> None:
    """There is nothing to be found out."""
    assert nodes_in(url) is None


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServers]:
    """Shared by the tests here, one after the other: each but the last leaves the first node as the primary."""
    with redis_servers(tmp_path_factory.mktemp("redis")) as servers:
        yield servers


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Cache]:
    """As the stores are."""
    async with trio_asyncio.open_loop() as loop:
        client = open_redis(url)
        cache = Cache(loop, client, Breaker("Redis", redis_pool.prober(client)))
        try:
            yield cache
        finally:
            cache.breaker.close()
            await loop.run_aio_coroutine(client.aclose())
            await loop.run_aio_coroutine(client.connection_pool.aclose())


async def ring(cache: Cache) -> int:
    """Write something: how often that was done."""
    times: int = await cache.run(lambda client: client.incr("bell"))
    return times


@pytest.mark.stores
async def test_of_several_nodes_the_primary_is_followed(servers: RedisServers) -> None:
    """While the former one lives on as a replica, to which connections are open."""
    async with connected(servers.nodes_url) as cache:
        for points in (1, 2):
            await ring(cache)
            await in_thread(servers.swap)
            await lose(lambda: ring(cache))
            await back(cache.breaker)
            assert 2 * points == await ring(cache)


@pytest.mark.stores
def test_who_gives_up_while_the_primary_is_looked_for_leaves_no_connection_open(servers: RedisServers) -> None:
    """Whichever step of it that was at: also while a node that was asked is being left."""
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(_given_up(servers.nodes_url))
        gc.collect()
    assert [] == [str(each.message) for each in left]


async def _given_up(url: str) -> None:
    finished = 0
    for turns in range(500):
        client = open_redis(url)
        asking = asyncio.ensure_future(client.role())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await client.connection_pool.aclose()
        finished += not asking.cancelled()
        if finished > FINISHED:
            return


@pytest.mark.stores
async def test_one_place_that_leads_to_another_server_is_followed(servers: RedisServers) -> None:
    """As a name whose address is changed, while the server from before still answers, now as a replica."""
    before, other = servers.nodes
    with TemporaryDirectory() as short:
        async with (
            proxied(servers.socket(before), Path(short) / "redis") as proxy,
            connected(f"unix://{short}/redis") as cache,
        ):
            told = await ring(cache)
            await in_thread(servers.swap)
            await lose(lambda: ring(cache))
            proxy.target = servers.socket(other)
            await back(cache.breaker)
            assert told + 1 == await ring(cache)
    await in_thread(servers.swap)


@pytest.mark.stores
async def test_whom_sentinel_makes_the_primary_is_followed(servers: RedisServers) -> None:
    """When the one from before is dead."""
    before, other = servers.nodes
    await in_thread(partial(servers.watch, before))
    async with connected(servers.url) as cache:
        await ring(cache)
        await in_thread(partial(servers.kill, before))
        await lose(lambda: ring(cache))
        await back(cache.breaker)
        assert await ring(cache) > 1
    assert other == servers.primary()
