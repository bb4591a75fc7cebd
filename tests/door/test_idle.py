from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from scoreboard.door.idle import IdleLimit


class Case:
    """An idle limit of 10 s, and when it closed its connection."""

    def __init__(self) -> None:
        self.closing = trio.Event()
        self.limit = IdleLimit(10, self.closing, self.close)
        self.closed_at: list[float] = []

    def close(self) -> None:
        self.closed_at.append(trio.current_time())


async def test_a_connection_is_closed_when_it_was_idle_for_too_long(autojump_clock: MockClock) -> None:
    """Counted from the last answer, however many there were."""
    case, began = Case(), trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(case.limit.watch)
        for _ in range(3):
            case.limit.restart()
            await trio.sleep(6)
            case.limit.stop()
            await trio.sleep(60)
        case.limit.restart()
    assert [began + 3 * 66 + 10] == case.closed_at


async def test_a_connection_that_works_is_not_idle(autojump_clock: MockClock) -> None:
    """However long it takes; and one that is over is closed by nobody."""
    case = Case()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(case.limit.watch)
        case.limit.restart()
        case.limit.stop()
        await trio.sleep(1000)
        case.limit.end()
    assert [] == case.closed_at


@pytest.mark.parametrize("busy", [False, True])
async def test_when_the_door_closes_an_idle_connection_ends_at_once(autojump_clock: MockClock, *, busy: bool) -> None:
    """One that works is left to see for itself that it ends with its answer."""
    case, began = Case(), trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(case.limit.watch)
        case.limit.restart()
        if busy:
            case.limit.stop()
        await trio.sleep(1)
        case.closing.set()
        await trio.sleep(4)
        assert ([] if busy else [began + 1]) == case.closed_at
    assert ([] if busy else [began + 1]) == case.closed_at
