"""Requests for a stream, which are answered by their own handler with all that the connection has left."""

from __future__ import annotations

import pytest
import trio

from scoreboard.door import RequestHead
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_until

STREAM = b"GET /stream?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"


async def tell(stream: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
    """Says what it got, and goes on until the door closes."""
    await stream.send_all(f"{head.method} {head.target} {len(head.rest)}\n".encode())
    await closing.wait()
    await stream.send_all(b"bye")


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_stream_is_begun_on_any_connection(before: int, *, at_once: bool) -> None:
    """As its first request, and as browsers do behind others; what was sent behind it goes along."""
    async with open_door(streams={"/stream": tell}) as opened, await opened.connect() as client:
        if at_once:
            await client.send_all(PLAIN * before + STREAM + b"more")
            if before:
                await read_until(client, b"hello", times=before)
        else:
            for _ in range(before):
                await client.send_all(PLAIN)
                await read_until(client, b"hello")
            await client.send_all(STREAM + b"more")
        assert await read_until(client, b"\n") == b"GET /stream?a=1 4\n"
        assert opened.door.connections == 1
        opened.door.close()
        assert await read_until(client, b"bye") == b"bye"
    assert opened.log.lines == []


async def test_every_method_of_a_streams_path_goes_to_it() -> None:
    """It tells the truth about HEAD and OPTIONS itself; a path that only begins so is another one."""
    async with open_door(streams={"/stream": tell}) as opened, await opened.connect() as client:
        await client.send_all(PLAIN.replace(b"GET /hello", b"GET /streams"))
        await read_until(client, b"hello")
        await client.send_all(STREAM.replace(b"GET", b"OPTIONS"))
        assert await read_until(client, b"\n") == b"OPTIONS /stream?a=1 0\n"
