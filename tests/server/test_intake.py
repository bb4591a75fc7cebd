"""A turn of the event loop takes a portion of what has come, and nobody is passed over."""

from __future__ import annotations

import os
import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from scoreboard.server.intake import Ports, take_in_portions

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="only Linux has epoll")

PORTION = 5
ENDS = 4 * PORTION


@contextmanager
def connections(count: int) -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """So many, each as its near and its far end."""
    with ExitStack() as scope:
        pairs = [socket.socketpair() for _ in range(count)]
        for near, far in pairs:
            near.setblocking(False)
            scope.enter_context(near)
            scope.enter_context(far)
        yield pairs


def everybody(_: int) -> bool:
    """Came to us."""
    return True


class Turns(trio.abc.Instrument):
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.now = 0

    def after_io_wait(self, timeout: float) -> None:
        """Called once a turn."""
        self.now += 1


async def test_connections_that_end_at_one_moment_end_in_portions() -> None:
    """In the order in which they were cut; whoever else wants to run does so between them."""
    taken: list[int] = []
    take_in_portions(PORTION, taken.append, everybody)
    turns, ended = Turns(), dict[int, int]()

    async def serve(number: int, connection: socket.socket) -> None:
        await trio.lowlevel.wait_readable(connection)
        ended[number] = turns.now

    with connections(ENDS) as pairs:
        async with trio.open_nursery() as nursery:
            for number, (near, _) in enumerate(pairs):
                nursery.start_soon(serve, number, near)
            await wait_all_tasks_blocked()
            trio.lowlevel.add_instrument(turns)
            taken.clear()
            for _, far in pairs:
                far.close()
        trio.lowlevel.remove_instrument(turns)
    assert [1 + number // PORTION for number in range(ENDS)] == [ended[number] for number in range(ENDS)]
    assert [PORTION] * (ENDS // PORTION) == taken[: ENDS // PORTION]


async def test_who_comes_once_has_its_turn_among_those_who_always_have_more() -> None:
    """However many they are and however quick: what is told in one turn stands behind all else in the next."""
    take_in_portions(PORTION, came=everybody)
    turns = Turns()

    async def serve_for_ever(connection: socket.socket) -> None:
        while True:
            await trio.lowlevel.wait_readable(connection)

    with connections(ENDS + 1) as [*busy, (near, far)]:
        async with trio.open_nursery() as nursery:
            for each, other in busy:
                nursery.start_soon(serve_for_ever, each)
                other.send(b"more than is ever read")
            for _ in range(3 * ENDS):
                await trio.lowlevel.checkpoint()
            trio.lowlevel.add_instrument(turns)
            far.send(b"once")
            await trio.lowlevel.wait_readable(near)
            trio.lowlevel.remove_instrument(turns)
            nursery.cancel_scope.cancel()
    assert 1 < turns.now <= ENDS // PORTION + 1


async def test_a_socket_that_is_closed_is_forgotten() -> None:
    """What Trio does with its epoll besides waiting still works."""
    take_in_portions(PORTION)
    async with trio.open_nursery() as nursery:
        near, far = trio.socket.socketpair()

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await near.recv(1)

        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        near.close()
    far.close()


async def test_what_comes_for_a_socket_that_nobody_waits_for_wakes_nobody() -> None:
    """The socket may live on in other hands; Trio, told of it after it has forgotten it, would end the whole run."""
    taken: list[int] = []
    take_in_portions(PORTION, taken.append, everybody)
    with connections(1) as [(near, far)]:

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await trio.lowlevel.wait_readable(near)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            trio.lowlevel.notify_closing(near)
        taken.clear()
        far.send(b"too late")
        await trio.lowlevel.checkpoint()
    assert 0 == sum(taken)


async def test_what_we_asked_for_is_taken_before_who_came_to_us_by_themselves() -> None:
    """However many they are: what a store answers is heard in the turn after it came."""
    ports, turns = Ports(), Turns()
    take_in_portions(PORTION, came=ports.came)
    with ExitStack() as scope:
        store = scope.enter_context(socket.create_server(("127.0.0.1", 0)))
        asked = scope.enter_context(socket.create_connection(store.getsockname()))
        answering = scope.enter_context(store.accept()[0])
        async with trio.open_nursery() as nursery:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            ports.know(listener.socket.getsockname()[1])
            for _ in range(ENDS):
                far = scope.enter_context(socket.create_connection(listener.socket.getsockname()))
                far.send(b"more than is ever read")
                nursery.start_soon(never_read, await listener.accept())
            for _ in range(3 * ENDS):
                await trio.lowlevel.checkpoint()
            trio.lowlevel.add_instrument(turns)
            for _ in range(3):
                turns.now = 0
                answering.send(b"!")
                await trio.lowlevel.wait_readable(asked)
                assert (1, b"!") == (turns.now, asked.recv(1))
            trio.lowlevel.remove_instrument(turns)
            nursery.cancel_scope.cancel()
        await listener.aclose()


async def never_read(stream: trio.SocketStream) -> None:
    """So there is always something."""
    try:
        while True:
            await trio.lowlevel.wait_readable(stream.socket)
    finally:
        stream.socket.close()


async def test_a_number_that_was_of_who_came_to_us_is_of_who_has_it_now() -> None:
    """The system gives it to the next one who is opened."""
    take_in_portions(PORTION)
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    with socket.create_connection(listener.socket.getsockname()) as far:
        came = await listener.accept()
        far.send(b"!")
        assert b"!" == await came.receive_some()
        number = came.socket.fileno()
        await came.aclose()
    near, other = trio.socket.socketpair()
    assert number in (near.fileno(), other.fileno())
    for one, another in ((near, other), (other, near)):
        await one.send(b"?")
        with trio.fail_after(5):
            await trio.lowlevel.wait_readable(another)
            assert b"?" == await another.recv(1)
    near.close()
    other.close()
    await listener.aclose()


async def test_who_came_by_a_path_of_the_system_came_too() -> None:
    """Other workers do: what they pass on is their clients'."""
    ports = Ports()
    with ExitStack() as scope:
        [(near, far)] = scope.enter_context(connections(1))
        listener = scope.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(b"\0intake-of-%d" % os.getpid())
        listener.listen()
        asked = scope.enter_context(socket.socket(socket.AF_UNIX))
        asked.connect(listener.getsockname())
        came = scope.enter_context(listener.accept()[0])
        found = [ports.came(each.fileno()) for each in (listener, came, asked, near, far)]
    assert [True, True, False, False, False] == found
    with tempfile.TemporaryFile() as no_socket:
        assert not ports.came(no_socket.fileno())
