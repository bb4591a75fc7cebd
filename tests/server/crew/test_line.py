from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.server.crew.errors import NoParent
from scoreboard.server.crew.line import ALIVE, READY, STEP, Assignment, ParentEnd, WorkerEnd
from scoreboard.settings import Settings, Stores


@dataclass
class Both:
    """The two ends, in one process; each may be lost, as when its process is killed."""

    parent: ParentEnd
    worker: WorkerEnd
    lose_parent: Callable[[], None]
    lose_worker: Callable[[], None]


@pytest.fixture
def both() -> Iterator[Both]:
    """Both, for the time of a test."""
    parent = ParentEnd()
    ours = parent._socket
    with parent.theirs as theirs, ours:
        yield Both(parent, WorkerEnd(theirs), ours.close, theirs.close)


def assignment() -> Assignment:
    """With a setting that is not the default."""
    stores = Stores(postgres_url="postgresql://user:secret@host/db", redis_url="redis://host")
    return Assignment(seat=2, count=3, sockets="/there", settings=replace(Settings(), workers=3, stores=stores))


async def test_a_worker_has_the_settings_of_its_parent_to_the_letter(both: Both) -> None:
    """Whatever the environment and the file say by the time it is started again."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    assert assignment() == worker.assignment()


async def test_the_listening_sockets_come_when_the_worker_is_ready(both: Both) -> None:
    """As many as there are, each the very same queue."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    worker.assignment()
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    handed: list[socket.socket] = []

    async def ready() -> None:
        handed.extend(await worker.listening())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ready)
        assert READY == await parent.heard()
        parent.hand_over([each.fileno() for each in listening])
    assert [each.getsockname() for each in listening] == [each.getsockname() for each in handed]
    for each in [*listening, *handed]:
        each.close()


async def test_a_worker_that_is_ready_says_so_also_to_a_parent_that_was_stopped_for_minutes(both: Both) -> None:
    """Signs of life fill the line meanwhile; were this one lost with them, the worker would wait for the port."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    worker.assignment()
    with pytest.raises(BlockingIOError):
        while True:
            worker._socket.send(ALIVE)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        async def ready() -> None:
            for each in await worker.listening():
                each.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ready)
            await wait_all_tasks_blocked()
            heard = b""
            with trio.fail_after(30):
                while READY not in heard:
                    heard += await parent.heard()
            parent.hand_over([listening.fileno()])


async def test_the_parent_hears_that_a_worker_lives_and_that_it_is_gone(both: Both) -> None:
    """Its end is an end of the line, however it came about."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.beat)
        assert ALIVE == await parent.heard()
        nursery.cancel_scope.cancel()
    worker._socket.close()
    assert b"" == await parent.heard()
    parent.hand_over([0])  # nobody hears it, and nothing is raised


def test_a_worker_sees_the_end_of_its_parent_in_a_thread_of_its_own(both: Both) -> None:
    """Whatever its event loop does."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    worker.assignment()
    watching = threading.Thread(target=worker.wait_until_parent_is_gone)
    watching.start()
    assert watching.is_alive()
    parent._socket.close()
    watching.join(30)
    assert not watching.is_alive()


@pytest.mark.parametrize("said", [b"", b"\0\0", b"\0\0\0\5{}", b"\0\0\0\2{}"])
def test_a_parent_that_ends_in_the_middle_of_its_words_is_none(said: bytes) -> None:
    """Nothing is begun on half of them."""
    ours, theirs = socket.socketpair()
    ours.sendall(said)
    ours.close()
    with pytest.raises(NoParent):
        WorkerEnd(theirs).assignment()
    theirs.close()


async def test_a_worker_whose_parent_is_gone_gets_no_port(both: Both) -> None:
    """And says so."""
    parent, worker = both.parent, both.worker
    parent.assign(assignment())
    worker.assignment()
    parent._socket.close()
    with pytest.raises(NoParent):
        await worker.listening()


async def test_a_worker_that_waits_for_what_others_must_mend_says_so_with_each_sign_of_life(
    both: Both, autojump_clock: MockClock
) -> None:
    """So its parent does not take it for one that is stuck."""
    both.parent.assign(assignment())
    both.worker.assignment()
    with trio.move_on_after(1.5):
        with both.worker.waiting():
            await both.worker.beat()
    assert STEP + STEP == both.parent.rest()
    with trio.move_on_after(0.5):
        await both.worker.beat()
    both.worker.step()
    assert ALIVE + STEP == both.parent.rest()
