"""The stream between a socket and Hypercorn."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.door.limits import DoorLimits
from scoreboard.door.stream import HttpStream


@asynccontextmanager
async def _pair(
    limits: DoorLimits | None = None, replay: bytes = b""
) -> AsyncGenerator[tuple[HttpStream, trio.SocketStream, list[str]]]:
    near, far = (trio.SocketStream(end) for end in trio.socket.socketpair())
    unread: list[str] = []
    async with near, far:
        yield HttpStream(near, replay, limits or DoorLimits(), partial(unread.append, "unread")), far, unread


async def test_the_head_comes_again_before_what_follows() -> None:
    """In pieces as small as asked for, and byte for byte."""
    async with _pair(replay=b"head") as (stream, far, _):
        await far.send_all(b"body")
        assert [b"he", b"ad", b"body"] == [await stream.receive_some(size) for size in (2, 9, None)]


async def test_a_write_that_nobody_reads_ends_although_it_is_shielded(autojump_clock: MockClock) -> None:
    """At the deadline for its size; the reader of the same connection learns of it, and nothing goes out after it."""
    limits = DoorLimits(write_within_s=10, write_bytes_per_s=1_000_000)
    ended: list[float] = []

    async def read(stream: HttpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some()
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


async def test_a_cancelled_write_is_the_last_one(autojump_clock: MockClock) -> None:
    """Half of it may be on the wire, and what followed would be read as its other half."""
    async with _pair() as (stream, _far, unread):
        with trio.move_on_after(1):
            await stream.send_all(b"x" * 5_000_000)
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"more")
    assert [] == unread


async def test_closing_wakes_the_reader_and_leaves_the_socket_open() -> None:
    """The door still has to linger on it."""

    async def read(stream: HttpStream) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some()

    async with _pair() as (stream, far, _), trio.open_nursery() as nursery:
        nursery.start_soon(read, stream)
        await wait_all_tasks_blocked()
        await stream.send_all(b"last words")
        await stream.send_eof()
        await stream.aclose()
        assert b"last words" == await far.receive_some()
        assert b"" == await far.receive_some()
        await far.send_all(b"the socket is open")
