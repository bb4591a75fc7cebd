from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio
import trio.testing

from scoreboard.server.crew.listener import SLACK, UNASKED, SharedListener
from scoreboard.server.crew.tally import Tally


class Two:
    """Two workers' listeners over one socket, with as many connections as the test says."""

    def __init__(self, folder: Path, scope: ExitStack) -> None:
        self._scope = scope
        self.tally = Tally.made_in(folder)
        self.connections = [0, 0]
        self._port = scope.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._port.setblocking(False)
        self.here, self.there = (
            SharedListener(scope.enter_context(self._port.dup()), number, Tally(folder), self._count_of(number))
            for number in (1, 2)
        )
        for listener in (self.here, self.there):
            listener.socket.setblocking(False)

    def _count_of(self, number: int) -> Callable[[], int]:
        return lambda: self.connections[number - 1]

    def come(self) -> None:
        """A client."""
        self._scope.enter_context(socket.create_connection(self._port.getsockname()))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Both, for the time of a test."""
    with ExitStack() as scope:
        yield Two(tmp_path, scope)


async def took(listener: SharedListener, who: list[SharedListener]) -> None:
    """Take one, and say so."""
    stream = await listener.accept()
    stream.socket.close()
    who.append(listener)


async def test_who_has_more_connections_lets_the_other_one_go_first(two: Two) -> None:
    """Left to chance, one worker can have nearly all of those who stay."""
    two.connections = [100, 10]
    two.tally.tell(2, 10)
    took_it: list[SharedListener] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(took, two.here, took_it)
        nursery.start_soon(took, two.there, took_it)
        two.come()
        while not took_it:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert [two.there] == took_it


async def test_what_the_other_one_does_not_come_for_is_taken_and_then_nobody_is_asked_for_a_while(two: Two) -> None:
    """One that is busy, or stopped, has fewer for ever: that must not slow down the port."""
    two.connections = [100, 0]
    two.tally.tell(2, 0)
    took_it: list[SharedListener] = []
    for count in range(UNASKED + 1):
        two.come()
        await took(two.here, took_it)
        assert (UNASKED - count) == two.here._unasked
    assert [two.here] * (UNASKED + 1) == took_it


@pytest.mark.parametrize(("others", "asks"), [(None, False), (100 - SLACK, False), (80, True)])
async def test_nobody_is_asked_for_a_small_difference_or_when_alone(two: Two, others: int | None, asks: bool) -> None:  # noqa: FBT001
    """A worker that is gone is forgotten, and counts for nothing."""
    two.connections = [100, 0]
    two.tally.tell(2, 0 if others is None else others)
    if others is None:
        two.tally.forget(2)
    two.come()
    await took(two.here, [])
    assert asks == bool(two.here._unasked)


async def test_each_tells_how_many_it_has_until_it_ends(two: Two) -> None:
    """The others go by the one of them that has the fewest."""
    two.connections = [100, 0]
    assert two.tally.least_of_others(2) is None
    two.come()
    await took(two.here, [])
    assert 100 == two.tally.least_of_others(2)
    for number, count in ((3, 30), (4, 70)):
        two.tally.tell(number, count)
    assert 30 == two.tally.least_of_others(2)
    two.tally.forget(3)
    assert 70 == two.tally.least_of_others(2)
    two.tally.forget(4)
    await two.here.aclose()
    assert two.tally.least_of_others(2) is None


class Failing(socket.socket):
    """Fails once to give the client that has come."""

    def __init__(self, of: socket.socket, error: int) -> None:
        super().__init__(fileno=of.detach())
        self.error: int | None = error

    def accept(self) -> tuple[socket.socket, object]:
        """The second time it is there."""
        if self.error is None:
            return super().accept()
        self.error, error = None, self.error
        raise OSError(error, "as the test says")


@pytest.mark.parametrize(
    ("error", "refused"), [(errno.ECONNABORTED, False), (errno.EPROTO, False), (errno.EMFILE, True)]
)
async def test_a_client_that_went_is_nobody_and_a_lack_of_descriptors_is_told(
    error: int,
    refused: bool,  # noqa: FBT001 - a parameter
    two: Two,
) -> None:
    """The former is the client's own doing and costs nobody else; for the latter whoever accepts has to wait."""
    two.here.socket = Failing(two.here.socket, error)
    took_it: list[SharedListener] = []
    two.come()
    if refused:
        with pytest.raises(OSError, match="as the test says"):
            await two.here.accept()
    await took(two.here, took_it)
    assert [two.here] == took_it
    await two.here.aclose()


async def test_closed_here_it_is_open_there(two: Two) -> None:
    """One worker ends, the other serves on."""
    async with trio.open_nursery() as nursery:

        async def wait_in_vain() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await two.here.accept()

        nursery.start_soon(wait_in_vain)
        await trio.testing.wait_all_tasks_blocked()
        await two.here.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await two.here.accept()
    two.come()
    await took(two.there, [])


async def test_who_waits_behind_another_is_taken_at_once_unless_the_other_worker_should_go_first(two: Two) -> None:
    """So a crowd is let in quickly, and still fairly."""
    two.tally.tell(2, 0)
    two.come()
    two.come()
    with trio.fail_after(10):
        (await two.here.accept()).socket.close()
    taken = two.here.take_ready()
    assert taken is not None
    taken.socket.close()
    assert two.here.take_ready() is None
    two.come()
    two.connections = [100, 0]
    assert two.here.take_ready() is None
    two.connections = [0, 0]
    with trio.fail_after(10):
        (await two.here.accept()).socket.close()


async def test_a_closed_port_has_nobody_who_waits(two: Two) -> None:
    """It is said to who waits for the next one."""
    await two.here.aclose()
    assert two.here.take_ready() is None
