"""What waits for a client's next request, and what becomes of it when a WebSocket takes over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.live.frames import text_frame
from scoreboard.live.guard import FrameLimits
from scoreboard.live.socketio.outbox import ROOM_BYTES, Outbox
from scoreboard.live.stream import FeedStream

BIG = text_frame(b"x" * (ROOM_BYTES // 2))


def outbox() -> Outbox:
    """An empty one."""
    return Outbox(lambda: None)


@asynccontextmanager
async def pair() -> AsyncGenerator[tuple[FeedStream, trio.SocketStream]]:
    """The two ends of a WebSocket behind its handshake."""
    near, far = trio.socket.socketpair()
    async with trio.SocketStream(near) as transport, trio.SocketStream(far) as client:
        yield FeedStream(transport), client


async def test_what_waits_is_taken_whole_and_in_order() -> None:
    """A poll takes all there is."""
    box = outbox()
    assert box.take() == []
    assert box.write_now(text_frame(b"1") + text_frame(b"2"))
    await box.send(text_frame(b"3"))
    await box.filled()
    assert box.take() == ["1", "2", "3"]
    assert box.take() == []


async def test_a_slow_poller_costs_a_bounded_amount_of_memory() -> None:
    """What does not fit is refused; who has to say it waits for the next request."""
    box = outbox()
    taken = 0
    while box.write_now(BIG):
        taken += 1
    assert taken == 2
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.send, text_frame(b"last"))
        nursery.start_soon(box.drained)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 2
        assert len(box.take()) == 2
    assert box.take() == ["last"]


async def test_what_waits_goes_first_when_the_way_changes() -> None:
    """Before whatever came while it was on its way."""
    async with pair() as (stream, far):
        box = outbox()
        box.trust()
        box.write_now(text_frame(b"1"))
        was_direct = box.direct
        await box.switch(stream)
        assert (was_direct is None, box.direct is None) == (True, False)
        assert stream._guard._rate == FrameLimits().players
        assert box.write_now(text_frame(b"2"))
        await box.send(text_frame(b"3"))
        await box.filled()
        assert await far.receive_some() == text_frame(b"1") + text_frame(b"2") + text_frame(b"3")
        assert repr(box) == "<Outbox by websocket, 0 bytes waiting>"


async def test_who_waits_for_room_goes_on_by_the_new_way() -> None:
    """It is not asked which way that is."""
    box = outbox()
    while box.write_now(BIG):
        pass
    async with pair() as (stream, far), trio.open_nursery() as nursery:
        nursery.start_soon(box.send, text_frame(b"last"))
        nursery.start_soon(box.drained)
        await wait_all_tasks_blocked()
        nursery.start_soon(box.switch, stream)
        received = b""
        while not received.endswith(text_frame(b"last")):
            received += await far.receive_some()
    assert received == BIG * 2 + text_frame(b"last")


async def test_who_waits_hears_that_it_is_over() -> None:
    """Nothing more is taken, and no poll waits any longer."""
    box = outbox()
    box.close()
    await box.filled()
    assert not box.write_now(b"x")
    for wait in (box.drained, lambda: box.send(b"x")):
        with pytest.raises(trio.ClosedResourceError):
            await wait()
