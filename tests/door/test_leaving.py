"""A door that lets nobody new in, while those inside go on until it closes."""

from __future__ import annotations

import pytest
import trio

from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_all, read_until

LIVE = b"GET /feed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
STREAMED = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"


async def stay(stream: trio.SocketStream, _head: object, closing: trio.Event) -> None:
    """A stream of events that goes on until the door closes."""
    await stream.send_all(b"begun")
    await closing.wait()
    await stream.send_all(b"over")


async def test_who_asks_is_answered_and_sent_on_and_who_stays_may_stay() -> None:
    """Idle connections end, a request under way is answered with the last word; live clients hear nothing yet."""
    async with open_door(streams={"/stream": stay}) as opened:
        idle, busy, live, stream = [await opened.connect() for _ in range(4)]
        await live.send_all(LIVE)
        await read_until(live, b"live /feed")
        for each in (idle, stream):
            await each.send_all(PLAIN)
            await read_until(each, b"hello")
        await stream.send_all(STREAMED)  # behind other requests on its connection, as browsers ask
        await read_until(stream, b"begun")
        await busy.send_all(PLAIN[:10])
        await trio.testing.wait_all_tasks_blocked()
        opened.door.leave()
        opened.door.leave()
        assert b"" == await read_all(idle)
        await busy.send_all(PLAIN[10:])
        answer = await read_all(busy)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert b"connection: close" in answer.lower()
        with pytest.raises(OSError, match=r"."):
            await opened.connect()
        for each in (idle, busy):
            await each.aclose()
        with trio.fail_after(10):
            while opened.door.connections > 2:  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.01)
        assert opened.door.is_leaving
        assert not opened.served.is_set()
        opened.door.close()
        assert (b"", b"over") == (await read_all(live), await read_all(stream))
        for each in (live, stream):
            await each.aclose()
        await opened.served.wait()


async def test_what_another_worker_passes_on_is_taken_over_until_the_door_closes() -> None:
    """Its clients do not know where they are."""
    async with open_door() as opened:
        opened.door.leave()
        ours, theirs = await _pair()
        async with theirs, trio.open_nursery() as nursery:
            nursery.start_soon(opened.door.take_over, ours, "10.1.2.3")
            await theirs.send_all(PLAIN)
            assert b"hello" in await read_all(theirs)


async def _pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    one, other = trio.socket.socketpair()
    return trio.SocketStream(one), trio.SocketStream(other)
