"""The real network of the Python client, against small servers of the test."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio_websocket import WebSocketRequest, serve_websocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request

from scoreboard.client.errors import LineLost, NoAnswer
from scoreboard.client.network import network

Serve = Callable[[WebSocketRequest], Awaitable[None]]
PING = b"\x89\x00"
PATH = "/ws/leaderboard?ticket=t1"


@asynccontextmanager
async def sockets(serve: Serve) -> AsyncIterator[str]:
    """A WebSocket server, at this address."""
    async with trio.open_nursery() as nursery:
        server = await nursery.start(functools.partial(serve_websocket, serve, "127.0.0.1", 0, ssl_context=None))
        yield f"http://127.0.0.1:{server.port}"
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[str]:
    """A server that answers everything with these bytes, at this address."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_messages_go_both_ways_and_the_ticket_goes_along() -> None:
    """Until one side closes; the code is told."""

    async def serve(request: WebSocketRequest) -> None:
        socket = await request.accept()
        await socket.send_message(request.path)
        await socket.send_message(await socket.get_message())
        await socket.aclose(1012, "retryAfter=1.4")

    async with sockets(serve) as url, network(url) as net, trio.open_nursery() as nursery:
        socket = await net.open_socket(nursery, PATH)
        assert PATH == await socket.receive()
        await socket.send("hello")
        assert "hello" == await socket.receive()
        with pytest.raises(LineLost) as lost:
            await socket.receive()
        assert (1012, 1.4) == (lost.value.code, lost.value.retry_after_s)
        await socket.aclose()


async def test_a_refused_socket_tells_when_to_come_back() -> None:
    """`Retry-After`, as browsers cannot see it."""
    refusal = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    async with saying(refusal) as url, network(url) as net, trio.open_nursery() as nursery:
        with pytest.raises(LineLost) as lost:
            await net.open_socket(nursery, PATH)
    assert 7.0 == lost.value.retry_after_s


@asynccontextmanager
async def pinging_into_the_close() -> AsyncIterator[str]:
    """A WebSocket server that answers a close frame with a ping, at this address."""

    async def serve(stream: trio.SocketStream) -> None:
        protocol = WSConnection(ConnectionType.SERVER)
        async for data in stream:
            protocol.receive_data(bytes(data))
            for event in protocol.events():
                if isinstance(event, Request):
                    await stream.send_all(protocol.send(AcceptConnection()))
                elif isinstance(event, CloseConnection):
                    await stream.send_all(PING)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_what_breaks_an_open_socket_stays_where_it_broke() -> None:
    """A ping into our close, which trio-websocket may not answer any more: the program's nursery never hears of it."""
    async with pinging_into_the_close() as url, network(url) as net, trio.open_nursery() as nursery:
        socket = await net.open_socket(nursery, PATH)
        await socket.aclose()
        with pytest.raises(LineLost):
            await socket.receive()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
async def test_what_is_no_server_is_a_lost_line_and_no_answer(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing foreign comes out, and no socket stays open; trio-websocket would wait for a handshake for ever."""
    monkeypatch.setattr("scoreboard.client.network.ANSWER_WITHIN_S", 0.2)
    async with saying(answer) as url, network(url) as net, trio.open_nursery() as nursery:
        with pytest.raises(LineLost):
            await net.open_socket(nursery, PATH)
        if not answer.startswith(b"HTTP"):
            with pytest.raises(NoAnswer):
                await net.request("GET", "/api/scores/top", headers={}, body=None, within=5)


async def test_nobody_there_is_a_lost_line_and_no_answer() -> None:
    """A port that is closed."""
    with trio.socket.socket() as closed:
        await closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with network(url) as net, trio.open_nursery() as nursery:
        with pytest.raises(LineLost):
            await net.open_socket(nursery, PATH)
        with pytest.raises(NoAnswer):
            await net.request("GET", "/api/scores/top", headers={}, body=None, within=5)


async def test_an_answer_is_told_with_its_headers_and_its_body() -> None:
    """Headers by lower-case name; what is not JSON is None."""
    answer = b'HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nETag: "a"\r\nContent-Length: 2\r\n\r\n{}'
    async with saying(answer) as url, network(url) as net:
        found = await net.request("GET", "/api/scores/top", headers={}, body=None, within=5)
    assert (429, '"a"', {}, 3.0) == (found.status, found.headers["etag"], found.body, found.retry_after_s)
