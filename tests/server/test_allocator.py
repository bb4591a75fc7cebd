"""What the allocator of C keeps behind crowds, and when it is told to give it back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
import trio
import trio.testing

from scoreboard.observe.logs import make_logger
from scoreboard.server.allocator import CROWD, LOOK_EVERY_S, PAUSE_S, give_back, releaser
from scoreboard.server.collector import MIB, resident_bytes


class Crowds:
    """Connections that come and go, and how often memory was given back."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self.released = 0
        self.lines = io.StringIO()

    def release(self) -> None:
        self.released += 1

    def resident(self) -> int:
        """Thirty mebibytes less each time."""
        return (200 - 30 * self.released) * MIB

    async def watch(self, release: Callable[[], object] | None) -> None:
        log = make_logger(style="json", stream=self.lines)
        await give_back(lambda: self.connections, self.resident, log, release)


@pytest.fixture
def crowds() -> Crowds:
    """A few connections, that stay."""
    return Crowds(connections=10)


async def test_memory_is_given_back_when_a_crowd_has_left(
    crowds: Crowds, autojump_clock: trio.testing.MockClock
) -> None:
    """And the log says how much, and behind how many."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowds.watch, crowds.release)
        await trio.sleep(1.5 * LOOK_EVERY_S)
        crowds.connections += CROWD
        await trio.sleep(LOOK_EVERY_S)
        assert 0 == crowds.released
        crowds.connections -= CROWD
        await trio.sleep(10 * PAUSE_S)
        nursery.cancel_scope.cancel()
    [line] = crowds.lines.getvalue().splitlines()
    told = json.loads(line)
    assert ("gave_memory_back", CROWD, 30, 170) == (
        told["event"],
        told["connections_left"],
        told["mib"],
        told["resident_mib"],
    )
    assert 1 == crowds.released


async def test_a_few_that_leave_are_no_reason(crowds: Crowds, autojump_clock: trio.testing.MockClock) -> None:
    """It takes some milliseconds of a turn, which those who stay would wait for."""
    crowds.connections = 5 * CROWD
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowds.watch, crowds.release)
        await trio.testing.wait_all_tasks_blocked()
        crowds.connections -= CROWD - 1
        await trio.sleep(10 * PAUSE_S)
        assert 0 == crowds.released
        crowds.connections -= 1
        await trio.sleep(10 * PAUSE_S)
        nursery.cancel_scope.cancel()
    assert 1 == crowds.released


async def test_a_crowd_that_leaves_slowly_is_followed_with_pauses(
    crowds: Crowds, autojump_clock: trio.testing.MockClock
) -> None:
    """Twenty crowds that leave within forty seconds are five times, not twenty."""
    crowds.connections = 20 * CROWD
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowds.watch, crowds.release)
        await trio.sleep(LOOK_EVERY_S / 2)
        for _ in range(20):
            crowds.connections -= CROWD
            await trio.sleep(LOOK_EVERY_S)
        await trio.sleep(PAUSE_S + LOOK_EVERY_S)
        nursery.cancel_scope.cancel()
    assert 5 == crowds.released


async def test_where_nothing_can_be_given_back_nobody_looks(crowds: Crowds) -> None:
    """Another C library than GNU's has no such call."""
    with trio.fail_after(5.0):
        await crowds.watch(None)


def test_holes_between_what_stays_are_given_back() -> None:
    """Of blocks that Python asks C for, one in sixty-four stays: what lies between them goes back to the system."""
    release = releaser()
    if release is None:
        pytest.skip("only GNU's C library can be told to")
    release()
    blocks = [bytes(1_000) for _ in range(100_000)]
    kept = blocks[::64]
    del blocks
    before = resident_bytes()
    release()
    assert before - resident_bytes() > 60 * MIB
    assert 1_563 == len(kept)
