"""Accepting, limits, and coming to an end."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack

import pytest
import trio

from scoreboard.door import DoorLimits, Drop
from tests.door.attacks import PLAIN
from tests.door.doors import open_door, read_all, read_until

HANDSHAKE = b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


async def test_one_port_serves_requests_and_feeds() -> None:
    """Keep-alive, pipelined requests, a body, and a feed, side by side."""
    post = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
    async with open_door() as opened, await opened.connect() as client, await opened.connect() as feed:
        await feed.send_all(HANDSHAKE)
        assert b"live /ws" == await feed.receive_some()
        await client.send_all(PLAIN + PLAIN + post)
        assert (await read_until(client, b"body")).count(b"HTTP/1.1 200 ") == 3
        assert opened.door.connections == 2
        assert repr(opened.door) == "<FrontDoor open, 2 inside>"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (DoorLimits(connections=1, probe_within_s=0.1), Drop.FULL),
        (DoorLimits(connections_per_address=1, probe_within_s=0.1), Drop.ADDRESS_FULL),
    ],
)
async def test_one_too_many_is_told_so_and_counted(limits: DoorLimits, why: Drop) -> None:
    """503 with a time to come back; whoever is inside stays, and a free place is given again."""
    async with open_door(limits) as opened:
        async with await opened.connect() as first:
            await first.send_all(PLAIN)
            await read_until(first, b"hello")
            async with await opened.connect() as second:
                answer = await read_all(second)
            await first.send_all(PLAIN)
            await read_until(first, b"hello")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5\r\n" in answer
        assert opened.journal.drops == {why: 1}


class _ExhaustedListener(trio.abc.Listener[trio.SocketStream]):
    """A system without a free descriptor for a while, then with one."""

    def __init__(self, errors: list[int], then: trio.SocketListener) -> None:
        self._errors = errors
        self._then = then
        self.socket = then.socket

    async def accept(self) -> trio.SocketStream:
        if self._errors:
            number = self._errors.pop()
            raise OSError(number, os.strerror(number))
        return await self._then.accept()

    async def aclose(self) -> None:
        await self._then.aclose()


async def test_a_system_without_descriptors_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each failure to accept is noted, and the door goes on after a pause, also after an error nobody has heard of."""
    numbers = [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO]
    really = trio.open_tcp_listeners

    async def exhausted(*args: object, **kwargs: object) -> list[_ExhaustedListener]:
        (listener,) = await really(0, host="127.0.0.1")
        return [_ExhaustedListener(list(numbers), listener)]

    monkeypatch.setattr(trio, "open_tcp_listeners", exhausted)
    async with open_door(DoorLimits(accept_pause_s=0.01)) as opened:
        assert await opened.is_serving()
    assert ["accept_failed"] * len(numbers) == [line["event"] for line in opened.log.lines]


async def test_who_waits_behind_a_crowd_is_let_in_within_some_turns() -> None:
    """A few in a turn of the event loop would be slow where those inside make turns long."""
    crowd_of = 300
    async with open_door() as opened:
        assert await opened.is_serving()
        with ExitStack() as crowd:
            for _ in range(crowd_of):
                crowd.enter_context(socket.create_connection(("127.0.0.1", opened.port)))
            for _ in range(25):
                await trio.lowlevel.checkpoint()
            assert opened.door.connections >= crowd_of


async def test_those_inside_may_finish_when_the_door_closes() -> None:
    """A feed is told and ends itself, an idle connection is ended at once, and nobody new is let in."""
    async with open_door() as opened:
        feed, idle = await opened.connect(), await opened.connect()
        await feed.send_all(HANDSHAKE)
        await feed.receive_some()
        await idle.send_all(PLAIN)
        await read_until(idle, b"hello")
        opened.door.close()
        opened.door.close()
        assert b"" == await read_all(feed) == await read_all(idle)
        await feed.aclose()
        await idle.aclose()
        await opened.served.wait()
        with pytest.raises(OSError, match="connect"):
            await opened.connect()
    assert Drop.STOPPED not in opened.journal.drops


async def test_a_cancelled_door_leaves_nobody_inside() -> None:
    """Cancelling is the hard way: all sockets are closed at once, also those in a shielded write."""
    async with open_door() as opened, trio.open_nursery() as nursery:
        client = await opened.connect()
        await client.send_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await client.receive_some(1)
        opened.cancel.cancel()
        with trio.fail_after(10):
            await opened.served.wait()
        await client.aclose()
        nursery.cancel_scope.cancel()


async def test_connections_are_set_up_for_small_frames_and_dead_peers() -> None:
    """TCP_NODELAY is on, and the kernel gives up on a peer as soon as our own writes do."""
    options: list[int] = []

    async def look(stream: trio.SocketStream, *_: object) -> None:
        wanted = socket.TCP_NODELAY, getattr(socket, "TCP_USER_TIMEOUT", socket.TCP_NODELAY)
        options.extend(stream.getsockopt(socket.IPPROTO_TCP, option) for option in wanted)

    async with open_door(DoorLimits(write_within_s=7), websocket=look) as opened:
        await opened.talk(HANDSHAKE)
    assert [1, 7000 if hasattr(socket, "TCP_USER_TIMEOUT") else 1] == options
