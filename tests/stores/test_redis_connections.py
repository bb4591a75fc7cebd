"""Connections to Redis, when those who wait give up: at any moment, and also a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio_asyncio
from redis.asyncio import Redis

from scoreboard.stores.redis_connections import Connections
from scoreboard.stores.redis_pool import open_redis

HERE = "127.0.0.1"
#: More turns of the loop than anything here takes.
TURNS = 50


async def answer(role: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection to a Redis that knows who it is and says yes to all else that is asked in one piece."""
    while asked := await reader.read(4096):
        if b"ROLE" in asked:
            writer.write(b"*1\r\n$%d\r\n%s\r\n" % (len(role), role))
        else:
            writer.write(b"+OK\r\n" * asked.count(b"*"))
    writer.close()


@asynccontextmanager
async def nodes(*roles: bytes) -> AsyncIterator[list[str]]:
    """Servers that have these roles: where they are. For asyncio."""
    servers = [await asyncio.start_server(partial(answer, role), HERE, 0) for role in roles]
    try:
        yield [f"{HERE}:{server.sockets[0].getsockname()[1]}" for server in servers]
    finally:
        for server in servers:
            server.close()


async def turns(number: int) -> None:
    """Let all others run so often."""
    for _ in range(number):
        await asyncio.sleep(0)


async def give_up(asking: Sequence[asyncio.Future[bool]]) -> None:
    """Once, and again while they are about it."""
    for _ in range(2):
        for each in asking:
            each.cancel()
        await turns(1)
    await asyncio.gather(*asking, return_exceptions=True)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Redis, Connections]]:
    """A client, and the two connections that it has at most. For asyncio."""
    client = open_redis(url, connections=2)
    pool = client.connection_pool
    assert isinstance(pool, Connections)
    try:
        yield client, pool
    finally:
        await client.aclose()
        await turns(2)


@pytest.mark.parametrize("roles", [(b"master",), (b"master", b"slave")])
async def test_who_gives_up_takes_no_connection_away(roles: tuple[bytes, ...]) -> None:
    """Also when all are being left because there is another primary: else nobody could ask Redis any more."""

    async def leave_while_they_ask() -> None:
        async with nodes(*roles) as places:
            for patience in range(TURNS):
                async with opened(f"redis://{','.join(places)}") as (client, pool):
                    asking = [asyncio.ensure_future(client.ping()) for _ in range(4)]
                    await turns(4)
                    await pool.leave()
                    await turns(patience)
                    await give_up(asking)
                    (_, _), (lent, _) = pool.get_connection_count()
                    assert lent == 0

    async with trio_asyncio.open_loop() as loop:
        await loop.run_aio_coroutine(leave_while_they_ask())
