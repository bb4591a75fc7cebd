"""Rare moments of a session on its ways: while it changes from one to the other, and when the one it has ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import trio
from trio.testing import wait_all_tasks_blocked

from actors.connection.connection import ConnectionWorld
from actors.ports import Source
from scoreboard.door.head import HeadReader, RequestHead
from scoreboard.door.limits import DoorLimits
from scoreboard.live.frames import texts_in
from scoreboard.live.socketio import SocketIoLimits, SocketIoWorld
from scoreboard.live.socketio.engine import Way
from scoreboard.live.socketio.places import Place, PlaceLimits, Places
from scoreboard.live.socketio.session import Session, Socket
from scoreboard.live.socketio.speech import framed
from tests.connection.feed import nobody_scores
from tests.live.feeds import Boards, who
from tests.live.socketio.real_client import POLLING_ONLY, RealClient, real_client
from tests.live.socketio.wire import PATH, OpenSocketIo, open_socketio, until
from tests.live.wire import handshake


def a_session() -> Session:
    """One that polls, of which no task runs."""
    connection = ConnectionWorld(Boards(), who, lambda: None, lambda: None, nobody_scores())  # type: ignore[arg-type]
    place = Places(PlaceLimits()).take("")
    assert isinstance(place, Place)
    world = SocketIoWorld(connection, SocketIoLimits(), lambda _: None)
    return Session("sid", Way.POLLING, world, Source(None, None), place, lambda _: None)


class Narrow:
    """A WebSocket's stream that takes what waited for a poll so slowly that more comes meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.sent: list[str] = []
        self._meanwhile = meanwhile

    async def send(self, frames: bytes) -> None:
        self.sent += texts_in(frames)
        if self.sent[-1] == "4first":
            self._meanwhile()
            await wait_all_tasks_blocked()

    def when_busy(self, busy: Callable[[], None]) -> None:
        """It never is."""


async def test_what_comes_while_the_way_changes_goes_by_the_socket_alone() -> None:
    """A request that waited until then is answered with nothing, or the client would see it before what is older."""
    session = a_session()
    stream = Narrow(lambda: session._outbox.write_now(framed("4second")))
    socket = Socket(cast(Any, stream), trio.CancelScope())
    session.attach(socket)
    answers: list[bytes] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def polling() -> None:
            answers.append(await session.poll())

        await wait_all_tasks_blocked()
        assert session._outbox.write_now(framed("4first"))  # the request has yet to see it
        await session.heard("2probe", socket)
        await session.heard("5", socket)
    assert answers == [b"6"]
    assert stream.sent == ["3probe", "4first", "4second"]


class Lost(trio.abc.Stream):
    """A client that has gone."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        raise trio.BrokenResourceError

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_a_session_whose_first_socket_fails_is_over_at_once() -> None:
    """It has no other way, and its place is free for somebody else."""
    async with open_socketio() as live:
        head = HeadReader(DoorLimits()).feed(handshake(PATH + "websocket"))
        assert isinstance(head, RequestHead)
        await live.service.sockets(Lost(), head, trio.Event())
        assert live.service.connected == 0


async def watching(live: OpenSocketIo, client: RealClient) -> Session:
    """The session of a real client that only polls, while one of its requests waits."""
    options = {"transports": POLLING_ONLY, "reconnection": False}
    client.open(f"http://127.0.0.1:{live.opened.port}", **options)
    await trio.to_thread.run_sync(client.event, "leaderboard_update")
    [session] = live.service._sessions._open.values()
    await until(lambda: session._engine.polled)
    return session


async def test_a_poller_that_waits_hears_that_the_server_goes() -> None:
    """The real client, too: the server has closed, in good order."""
    with real_client() as client:
        async with open_socketio() as live:
            await watching(live, client)
            live.opened.door.close()
            told = await trio.to_thread.run_sync(client.happens, "disconnect")
    assert told["reason"] == "transport close"


async def test_a_poller_between_two_requests_finds_nobody_when_the_server_has_gone() -> None:
    """There was nothing that could have been answered; the next request fails, and that is what the client sees."""
    with real_client() as client:
        async with open_socketio() as live:
            session = await watching(live, client)
            live.service.application._served = partial(_close, live, session)
            live.boards.show()
            told = await trio.to_thread.run_sync(client.happens, "disconnect")
    assert told["reason"] == "transport error"


def _close(live: OpenSocketIo, session: Session, *_: object) -> None:
    """In the very moment in which a request has been answered."""
    assert not session._engine.polled
    live.opened.door.close()
