"""Clients that hold on to a server in every way that its bounds are for, all at once, and come back when cut."""

from __future__ import annotations

import random
import socket
from collections.abc import Awaitable, Callable

import trio

from tests.edge.valid import SUBSCRIBE, WEBSOCKET, get, post, text

Way = Callable[[trio.abc.Stream, random.Random], Awaitable[None]]
BYTE_S = 0.5
#: Longest pause before a client comes back: whatever it does, it must not be the machine's processor that ends.
PAUSE_S = 0.4
_POST = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def slow_head(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A header that never ends."""
    await _drip(stream, b"GET /api/scores/top HTTP/1.1\r\nHost: x\r\n", rng)


async def slow_second_head(stream: trio.abc.Stream, rng: random.Random) -> None:
    """The same on a connection that was good once."""
    await stream.send_all(get(b"/api/scores/top"))
    await slow_head(stream, rng)


async def slow_body(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A length that is never reached."""
    await _drip(stream, _POST + b"Content-Length: 9000\r\n\r\n", rng)


async def slow_chunks(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A chunk's extension that never ends."""
    await _drip(stream, _POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=", rng)


async def slow_packets(stream: trio.abc.Stream, rng: random.Random) -> None:
    """The same where Socket.IO polls."""
    await _drip(
        stream, b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4", rng
    )


async def unkept_expectation(stream: trio.abc.Stream, _: random.Random) -> None:
    """Asks to be invited, and does not come."""
    await stream.send_all(_POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
    await _until_cut(stream)


async def unread_pipeline(stream: trio.abc.Stream, _: random.Random) -> None:
    """A thousand requests at once, and not one answer is read."""
    await stream.send_all(get(b"/api/asyncapi.json") * 1000)
    await trio.sleep_forever()


async def unread_stream(stream: trio.abc.Stream, _: random.Random) -> None:
    """Events that nobody reads."""
    await stream.send_all(get(b"/api/v1/leaderboard/stream?channel=leaderboard.top10"))
    await trio.sleep_forever()


async def unread_socket(stream: trio.abc.Stream, _: random.Random) -> None:
    """Frames that nobody reads, but asks for, as fast as may be."""
    await stream.send_all(WEBSOCKET % b"/ws/leaderboard")
    while True:
        await stream.send_all(text(SUBSCRIBE) * 20)


async def half_a_frame(stream: trio.abc.Stream, rng: random.Random) -> None:
    """A message of a WebSocket, a byte now and then."""
    await stream.send_all(WEBSOCKET % b"/ws")
    await _drip(stream, text(bytes(9_000))[:8], rng)


async def pings(stream: trio.abc.Stream, _: random.Random) -> None:
    """A flood of pings, each of which wants an answer."""
    await stream.send_all(WEBSOCKET % b"/ws/leaderboard")
    while True:
        await stream.send_all(b"\x89\x80\0\0\0\0" * 500)


async def unconnected_session(stream: trio.abc.Stream, _: random.Random) -> None:
    """A session of Socket.IO in which nobody says who he is."""
    await stream.send_all(WEBSOCKET % b"/socket.io/?EIO=4&transport=websocket")
    await _until_cut(stream)


async def begun_sessions(stream: trio.abc.Stream, rng: random.Random) -> None:
    """One after the other, by polling, each left alone at once."""
    while True:
        await stream.send_all(get(b"/socket.io/?EIO=4&transport=polling"))
        await stream.receive_some()
        await trio.sleep(PAUSE_S * rng.random())


async def silence(stream: trio.abc.Stream, _: random.Random) -> None:
    """Nothing at all."""
    await _until_cut(stream)


async def coming_and_going(stream: trio.abc.Stream, rng: random.Random) -> None:
    """Away again in the middle of whatever, with a reset."""
    said = rng.choice(
        (get(b"/api/scores/top") * 20, post(b"/api/auth/login", b"{}"), WEBSOCKET % b"/ws" + text(SUBSCRIBE))
    )
    await stream.send_all(said[: rng.randint(0, len(said))])
    if isinstance(stream, trio.SocketStream):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


WAYS: tuple[Way, ...] = (
    slow_head,
    slow_second_head,
    slow_body,
    slow_chunks,
    slow_packets,
    unkept_expectation,
    unread_pipeline,
    unread_stream,
    unread_socket,
    half_a_frame,
    pings,
    unconnected_session,
    begun_sessions,
    silence,
    coming_and_going,
)


class Siege:
    """So many clients of each way, from addresses of this machine."""

    def __init__(self, port: int, each: int, ways: tuple[Way, ...] = WAYS) -> None:
        self._port = port
        self._each = each
        self._ways = ways
        self._missing: set[tuple[object, ...]] = set()
        self._all_came = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until it is cancelled; begun when everybody has come once."""
        async with trio.open_nursery() as nursery:
            for way in self._ways:
                for number in range(self._each):
                    rng = random.Random(f"{way.__name__} {number}")
                    self._missing.add((way.__name__, rng))
                    nursery.start_soon(self._come_back, way, rng)
            await self._all_came.wait()
            task_status.started()

    async def _come_back(self, way: Way, rng: random.Random) -> None:
        while True:
            try:
                async with await trio.open_tcp_stream("127.0.0.1", self._port) as stream:
                    self._has_come(way.__name__, rng)
                    await way(stream, rng)
            except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # it was cut, or turned away
            await trio.sleep(rng.random() * PAUSE_S)

    def _has_come(self, *who: object) -> None:
        self._missing.discard(who)
        if not self._missing:
            self._all_came.set()


async def _drip(stream: trio.abc.Stream, said: bytes, rng: random.Random) -> None:
    await stream.send_all(said)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_cut, stream, nursery.cancel_scope)
        while True:
            await trio.sleep(BYTE_S * rng.random())
            await stream.send_all(b"x")


async def _until_cut(stream: trio.abc.Stream, scope: trio.CancelScope | None = None) -> None:
    while await stream.receive_some():
        pass
    if scope is not None:
        scope.cancel()
