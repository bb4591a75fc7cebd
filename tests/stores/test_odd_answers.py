"""Servers that answer what no store says: a proxy, another program at that port, one whose words are of another age."""

from __future__ import annotations

import asyncio
import gc
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
import trio_asyncio

from actors.ports import StoreUnavailable
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.postgres_connections import Connections
from scoreboard.stores.postgres_hosts import Hosts
from scoreboard.stores.postgres_pool import Database, open_pool
from scoreboard.stores.redis_pool import Cache, open_redis
from tests.stores.bounds import UNHURRIED

# The drivers stumble half-way through making a connection, and leave what they have of it to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

HERE = "127.0.0.1"


def message(kind: bytes, content: bytes) -> bytes:
    """As Postgres sends it."""
    return kind + struct.pack("!i", len(content) + 4) + content


def greeting(*parameters: tuple[bytes, bytes]) -> bytes:
    """Of one that lets everybody in."""
    told = b"".join(message(b"S", name + b"\0" + value + b"\0") for name, value in parameters)
    return message(b"R", bytes(4)) + told + message(b"K", bytes(8)) + message(b"Z", b"I")


async def answer(said: bytes, stream: trio.SocketStream) -> None:
    """The same to whatever is asked."""
    with suppress(trio.BrokenResourceError):
        async with stream:
            while await stream.receive_some():
                await stream.send_all(said)


@asynccontextmanager
async def saying(said: bytes) -> AsyncIterator[str]:
    """Where one is that says it."""
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, partial(answer, said), 0, host=HERE))
        yield f"{HERE}:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()
    gc.collect()


@pytest.mark.parametrize(
    "said",
    [
        greeting((b"server_version", b"of another age")),
        greeting(),
        greeting((b"server_version", "fünf".encode("latin-1"))),
        greeting((b"server_version", b"18.0"), (b"client_encoding", b"KLINGON")),
    ],
)
async def test_what_answers_in_place_of_postgres_is_a_store_that_is_away(said: bytes) -> None:
    """Anything else would be the end of whoever asks, and six times of it the end of a worker."""
    async with saying(said) as place, trio_asyncio.open_loop() as loop:
        loop.set_exception_handler(lambda *_: None)
        hosts = Hosts(f"postgresql://user@{place}/db?sslmode=disable", UNHURRIED)
        await lacking(loop, hosts)


async def test_a_host_that_has_no_possible_name_is_away() -> None:
    """There is nobody to look for."""
    async with trio_asyncio.open_loop() as loop:
        await lacking(loop, Hosts(f"postgresql://user@{'a' * 64}.example/db", UNHURRIED))


async def lacking(loop: trio_asyncio.TrioEventLoop, hosts: Hosts) -> None:
    """There is no connection, and no primary."""
    pool = await loop.run_aio_coroutine(open_pool(hosts.connect, 1, UNHURRIED, least=0))
    connections = Connections(pool, UNHURRIED)
    database = Database(loop, connections, Breaker("Postgres", partial(asyncio.sleep, 0)))
    with pytest.raises(StoreUnavailable):
        await database.run(lambda connection: connection.fetchval("SELECT 1"))
    with pytest.raises(StoreUnavailable):
        await loop.run_aio_coroutine(hosts.find())
    await loop.run_aio_coroutine(database.close())


@pytest.mark.parametrize("said", [b":one\r\n", b"$many\r\n", b"*1\r\n$-5\r\n", b"*1\r\n" * 3000 + b":1\r\n"])
async def test_what_answers_in_place_of_redis_is_a_store_that_is_away(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No score depends on Redis, so nothing it says may be the end of anybody. The log shows where it went wrong."""
    async with saying(said) as place, trio_asyncio.open_loop() as loop:
        client = open_redis(f"redis://{place}/0")
        cache = Cache(loop, client, Breaker("Redis", partial(asyncio.sleep, 0)))
        with pytest.raises(StoreUnavailable):
            await cache.run(lambda client: client.get("key"))
        with pytest.raises(StoreUnavailable):
            await cache.run(lambda client: client.get("key"))
        assert cache.breaker.away
        assert [True] == [bool(each.exc_info) for each in caplog.records if "cannot work" in each.getMessage()]
        await loop.run_aio_coroutine(client.aclose())
