"""Requests for a stream or a WebSocket, which their own handler answers with all that the connection has left."""

from __future__ import annotations

import pytest
import trio

from scoreboard.door import RequestHead
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_until

STREAM = b"GET /stream?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"
SOCKET = b"GET /ws?a=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"


async def tell(stream: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
    """Says what it got, and goes on until the door closes."""
    await stream.send_all(f"{head.method} {head.target} {len(head.rest)}\n".encode())
    await closing.wait()
    await stream.send_all(b"bye")


@pytest.mark.parametrize("asked", [STREAM, SOCKET], ids=["stream", "websocket"])
@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_stream_and_a_websocket_are_begun_on_any_connection(
    asked: bytes, before: int, *, at_once: bool
) -> None:
    """As its first request, and behind others, as browsers and proxies do; what was sent behind it goes along."""
    async with open_door(streams={"/stream": tell}, websocket=tell) as opened, await opened.connect() as client:
        if at_once:
            await client.send_all(PLAIN * before + asked + b"more")
            if before:
                await read_until(client, b"hello", times=before)
        else:
            for _ in range(before):
                await client.send_all(PLAIN)
                await read_until(client, b"hello")
            await client.send_all(asked + b"more")
        assert await read_until(client, b"\n") == b"GET %b 4\n" % asked.split()[1]
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


async def test_a_websocket_waits_for_the_answers_to_what_was_asked_before_it() -> None:
    """A body that stands between is none of its frames."""
    post = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
    async with open_door(websocket=tell) as opened, await opened.connect() as client:
        await client.send_all(post + PLAIN + SOCKET + b"!!")
        told = await read_until(client, b" 2\n")
    assert [told.index(each) for each in (b"body", b"hello", b"GET /ws")] == sorted(
        told.index(each) for each in (b"body", b"hello", b"GET /ws")
    )


@pytest.mark.parametrize("last", [b"connection: close\r\n", b""], ids=["client_says_so", "server_says_so"])
async def test_behind_the_last_request_of_a_connection_no_websocket_begins(last: bytes) -> None:
    """Whoever says that it is the last one; what stands behind it is not read."""
    asked = PLAIN.replace(b"\r\n\r\n", b"\r\n%b\r\n" % last)
    async with open_door(websocket=tell, keep_alive_max_requests=1) as opened:
        told = await opened.talk(asked + SOCKET)
    assert (1, True) == (told.count(b"HTTP/1.1 "), told.endswith(b"hello"))


async def test_a_websocket_that_fails_behind_other_requests_costs_its_connection_only() -> None:
    """It is noted as what it was."""
    async with open_door() as opened:
        assert (await opened.talk(PLAIN + SOCKET.replace(b"/ws?a=1", b"/raise"))).endswith(b"hellolive /raise")
        assert await opened.is_serving()
    assert ["websocket"] == [line["kind"] for line in opened.log.lines]
