"""The stream between a socket and its connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.door.limits import DoorLimits
from scoreboard.door.stream import HttpStream
from scoreboard.ends import EndRate, Ends


@asynccontextmanager
async def _pair(
    limits: DoorLimits | None = None, ends: Ends | None = None
) -> AsyncGenerator[tuple[HttpStream, trio.SocketStream, list[str]]]:
    near, far = (trio.SocketStream(end) for end in trio.socket.socketpair())
    unread: list[str] = []
    async with near, far:
        yield HttpStream(near, limits or DoorLimits(), partial(unread.append, "unread"), ends or Ends()), far, unread


async def test_bytes_come_as_they_were_sent_in_pieces_as_small_as_asked_for() -> None:
    """And nothing at the end."""
    async with _pair() as (stream, far, _):
        await far.send_all(b"head")
        assert [b"he", b"ad"] == [await stream.receive_some(size) for size in (2, 9)]
        await far.aclose()
        assert b"" == await stream.receive_some(9)


async def test_a_socket_that_the_door_has_closed_is_over() -> None:
    """For who was going to read or write only then, too."""
    async with _pair() as (stream, _far, _):
        near = stream._transport
        near.socket.close()
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some(9)
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"hello")


async def test_a_client_that_resets_breaks_the_stream() -> None:
    """For its reader and its writer, with Trio's own error."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    far = await trio.open_tcp_stream("127.0.0.1", listeners[0].socket.getsockname()[1])
    async with await listeners[0].accept() as near, listeners[0]:
        stream = HttpStream(near, DoorLimits(), lambda: None, Ends())
        far.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await far.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some(9)
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"hello")


async def test_two_writes_at_once_go_out_one_after_the_other() -> None:
    """Whole, although the socket takes only a part of the first."""
    size = 3_000_000
    async with _pair() as (stream, far, _), trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, b"a" * size)
        await wait_all_tasks_blocked()
        nursery.start_soon(stream.send_all, b"b")
        received = b""
        while len(received) <= size:
            received += await far.receive_some()
    assert b"a" * size + b"b" == received


async def test_a_write_that_nobody_reads_ends_although_it_is_shielded(autojump_clock: MockClock) -> None:
    """At the deadline for its size; the reader of the same connection learns of it, and nothing goes out after it."""
    limits = DoorLimits(write_within_s=10, write_bytes_per_s=1_000_000)
    ended: list[float] = []

    async def read(stream: HttpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some(9)
        ended.append(trio.current_time())

    begun = trio.current_time()
    async with _pair(limits) as (stream, _far, unread), trio.open_nursery() as nursery:
        nursery.start_soon(read, stream)
        await wait_all_tasks_blocked()
        with trio.CancelScope(shield=True), pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"x" * 5_000_000)
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"more")
    assert [15] == [round(at - begun) for at in ended]
    assert ["unread"] == unread


async def test_of_many_writes_that_nobody_reads_each_ends_at_a_moment_of_its_own(autojump_clock: MockClock) -> None:
    """Or thousands of readers that stopped would be ended in one turn, and keep everybody else waiting."""
    limits, ends = DoorLimits(write_within_s=10, write_bytes_per_s=10**9), Ends(EndRate(per_s=2, burst=1))
    ended = list[float]()

    async def write() -> None:
        async with _pair(limits, ends) as (stream, _far, _unread):
            with pytest.raises(trio.BrokenResourceError):
                await stream.send_all(b"x" * 5_000_000)
            ended.append(trio.current_time())

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(write)
    assert [10.0, 10.5, 11.0, 11.5] == [round(at - begun, 1) for at in ended]


async def test_a_cancelled_write_is_finished(autojump_clock: MockClock) -> None:
    """Half of it may be on the wire, and what followed would be read as its other half."""
    size = 5_000_000
    async with _pair() as (stream, far, unread), trio.open_nursery() as nursery:

        async def send() -> None:
            with trio.move_on_after(1):
                await stream.send_all(b"x" * size)
            await stream.send_all(b"more")

        nursery.start_soon(send)
        await trio.sleep(2)
        received = b""
        while len(received) < size + 4:
            received += await far.receive_some()
    assert b"xmore" == received[-5:]
    assert [] == unread


async def test_closing_wakes_the_reader_and_leaves_the_socket_open() -> None:
    """The door still has to linger on it."""

    async def read(stream: HttpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some(9)

    async with _pair() as (stream, far, _), trio.open_nursery() as nursery:
        nursery.start_soon(read, stream)
        await wait_all_tasks_blocked()
        await stream.send_all(b"last words")
        stream.close()
        assert b"last words" == await far.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"more")
        await far.send_all(b"the socket is open")
