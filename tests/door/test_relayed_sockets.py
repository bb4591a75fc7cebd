"""WebSockets that are passed on while this door leaves: closed between two frames, with the time to come back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.door import RequestHead
from scoreboard.door.relayed_sockets import FrameEnds, RelayedSocket, RelayedSockets
from tests.door.doors import read_all, read_until
from tests.door.test_relay import asked, far_app, two_doors

SWITCHED = b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\n\r\n"
FRAMES = [
    b"\x81\x00",
    b"\x81\x05hello",
    b"\x82\x7e\x01\x00" + b"x" * 256,
    b"\x02\x7f" + (65_536).to_bytes(8, "big") + b"y" * 65_536,
]
GOODBYE = b"\x88\x10\x03\xf4retryAfter=1.5"
HEAD = RequestHead("GET", "/far/ws", (), "1.1", b"GET /far/ws HTTP/1.1\r\n\r\n", b"")


@pytest.mark.parametrize("longest", [1, 2, 7, 100, 100_000])
def test_the_ends_of_frames_are_found_however_they_come(longest: int) -> None:
    """Not within one, not before the handshake is answered; and not behind a close frame."""
    rng = random.Random(longest)
    ends, after, passed = FrameEnds(), set[int](), 0
    whole = SWITCHED + b"".join(FRAMES)
    for part in (SWITCHED, *FRAMES):
        passed += len(part)
        after.add(passed)
    at = 0
    while at < len(whole):
        size = rng.randint(1, longest)
        ends.feed(whole[at : at + size])
        at = min(len(whole), at + size)
        assert (at in after) == ends.may_close
    ends.feed(b"\x88\x02\x03\xe8")
    assert not ends.may_close
    ends.feed(b"\x81\x00")
    assert not ends.may_close


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 No\r\n\r\n", b"x" * 70_000, b"HTTP/1.1 101 "])
def test_where_there_is_no_websocket_nothing_is_said(answer: bytes) -> None:
    """A refusal is its own last word."""
    ends = FrameEnds()
    ends.feed(answer)
    ends.feed(b"")
    assert not ends.may_close


@asynccontextmanager
async def passed_on() -> AsyncIterator[tuple[RelayedSockets, trio.SocketStream, trio.SocketStream]]:
    """One socket between a client and the other worker, whose ends they are."""
    sockets = RelayedSockets(5.0)
    (client, ours), (line, far) = stream_pair(), stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sockets.serve, ours, HEAD, trio.Event(), line)
        assert HEAD.raw == await read_until(far, b"\r\n\r\n")
        async with client, far:
            yield sockets, client, far
        ours.socket.close()


async def at_once(sockets: Sequence[RelayedSocket]) -> AsyncIterator[Sequence[RelayedSocket]]:
    """All of them in one wave."""
    yield sockets


def stream_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """The ends of a connection."""
    one, other = trio.socket.socketpair()
    return trio.SocketStream(one), trio.SocketStream(other)


async def test_a_client_is_told_to_come_back_and_its_answer_reaches_who_has_its_session() -> None:
    """What the other worker says after that is not heard any more; when it hangs up, that is the end."""
    async with passed_on() as (sockets, client, far):
        await far.send_all(SWITCHED + FRAMES[1])
        await read_until(client, b"hello")
        await sockets.send_home(at_once, lambda: (1012, "retryAfter=1.5"))
        assert GOODBYE == await read_until(client, b"1.5")
        await client.send_all(b"\x88\x80\0\0\0\0")
        assert b"\x88\x80\0\0\0\0" == await read_until(far, b"\0\0\0\0")
        await far.send_all(b"\x88\x00")
        await far.aclose()
        await wait_all_tasks_blocked()
        assert 0 == len(sockets)


async def test_a_frame_that_has_begun_comes_to_its_end_first() -> None:
    """Nothing stands within it."""
    async with passed_on() as (sockets, client, far):
        await far.send_all(SWITCHED + b"\x81\x05he")
        await read_until(client, b"he")
        await sockets.send_home(at_once, lambda: (1012, "retryAfter=1.5"))
        await wait_all_tasks_blocked()
        await far.send_all(b"llo" + FRAMES[1])
        told = await read_until(client, b"1.5")
        assert told.endswith(b"hello" + GOODBYE)
        await far.aclose()


async def test_a_client_that_does_not_answer_is_not_waited_for_long(autojump_clock: trio.testing.MockClock) -> None:
    """Nor is a worker that does not hang up."""
    async with passed_on() as (sockets, client, far):
        await far.send_all(SWITCHED)
        await read_until(client, b"\r\n\r\n")
        began = trio.current_time()
        await sockets.send_home(at_once, lambda: (1012, "retryAfter=1.5"))
        while len(sockets):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.1)
        assert 3 > trio.current_time() - began


async def test_a_poll_that_is_passed_on_is_answered_when_this_door_leaves_and_is_the_last_of_its_connection() -> None:
    """The worker that has it is asked to; its client asks the next time somebody who stays."""
    hurried, asked_for, answered = list[str](), trio.Event(), trio.Event()

    async def hurry(target: str) -> None:
        hurried.append(target)
        answered.set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked_for.set()
        await answered.wait()
        await far_app(scope, receive, send)

    async with two_doors({"hurry": hurry}, {"application": app}) as (here, _), await here.connect() as client:
        await client.send_all(asked(b"p?sid=1"))
        await asked_for.wait()
        here.door.leave()
        told = await read_all(client)
        assert ["/far/p?sid=1"] == hurried
        assert told.startswith(b"HTTP/1.1 200 OK\r\nconnection: close\r\n"), told
        assert told.endswith(b"far 127.0.0.1 ;")
