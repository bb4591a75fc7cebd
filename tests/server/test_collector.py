"""When everything is collected, and that little is looked at otherwise."""

from __future__ import annotations

import gc
import io
import json
import weakref
from collections.abc import Iterator
from typing import Any, cast

import pytest
import trio
import trio.testing

from scoreboard.observe.logs import make_logger
from scoreboard.server.collector import (
    LOOK_EVERY_S,
    MIB,
    PORTION,
    WORK_S,
    Portions,
    Size,
    Work,
    begin,
    keep_small,
    resident_bytes,
)


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leave the collector of this process as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_no_collection_of_everything_comes_by_itself(as_before: None) -> None:
    """However many objects come to stay: they are looked at once or twice and then left alone."""
    begin()
    before = gc.get_stats()[2]["collections"]
    kept = [[each] for each in range(300_000)]
    assert (before, 300_000) == (gc.get_stats()[2]["collections"], len(kept))
    assert gc.get_stats()[0]["collections"] > 0


async def test_what_came_with_some_connections_is_looked_at_once(as_before: None) -> None:
    """Whatever else was freed in the meantime, so that there is never much of it at a time."""
    served: list[object] = []

    async def handler(stream: Any, head: Any, closing: Any) -> None:
        served.append((stream, head, closing))

    begin()
    counted = Portions().before(handler)
    before = gc.get_stats()[1]["collections"]
    for number in range(2 * PORTION):
        await counted(*cast(Any, (number, "head", "closing")))
    assert (2, 2 * PORTION) == (gc.get_stats()[1]["collections"] - before, len(served))
    assert (0, "head", "closing") == served[0]


class Processor:
    """The time of a loop's thread, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_work_made_is_looked_at_in_portions_too(as_before: None) -> None:
    """Waiting again makes as many objects as it frees, so by their number alone they would be looked at all at once.

    Whatever wakes tasks: two thousand clients that were read when it was their turn left 80,000 objects, as nothing
    came in from anywhere while what had come lay there.
    """
    begin()
    spent = Processor()
    work = Work(spent)
    before = gc.get_stats()[1]["collections"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work.collect)
        for _ in range(30):
            await trio.testing.wait_all_tasks_blocked()
            spent.now += WORK_S / 9.99
            work.turn()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert 3 == gc.get_stats()[1]["collections"] - before


async def test_the_next_portion_of_work_begins_behind_the_last(as_before: None) -> None:
    """A turn more is no reason to look again; what is over counts for nothing either, nor does a wait."""
    begin()
    spent = Processor()
    work = Work(spent)
    before = gc.get_stats()[1]["collections"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work.collect)
        for portion in (0.9, 0.9, 0.0, 0.9):
            await trio.testing.wait_all_tasks_blocked()
            spent.now += portion * WORK_S
            work.turn()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert 1 == gc.get_stats()[1]["collections"] - before


async def test_what_is_there_when_the_board_is_loaded_is_never_looked_at(as_before: None) -> None:
    """A million players are no garbage."""
    begin()
    kept = [["a player's"]]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: keep_small(lambda: 0, make_logger(style="json", stream=io.StringIO())))
        await trio.testing.wait_all_tasks_blocked()
        assert not any(each is kept for each in gc.get_objects())
        nursery.cancel_scope.cancel()


class Knot:
    """Garbage that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


async def test_garbage_is_freed_before_all_else_is_passed_by_for_ever(as_before: None) -> None:
    """What is frozen is never looked at again: garbage among it would stay as long as the process."""
    gc.disable()
    try:
        of_modules = weakref.ref(Knot())
        begin()
        assert of_modules() is None
        of_a_load = weakref.ref(Knot())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: keep_small(lambda: 0, make_logger(style="json", stream=io.StringIO())))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert of_a_load() is None
    finally:
        gc.enable()


def test_what_is_there_before_the_loop_runs_is_never_looked_at(as_before: None) -> None:
    """A tenth of a second that nobody has to wait for."""
    kept = [["a module's"]]
    assert any(each is kept for each in gc.get_objects(generation=0))
    begin()
    assert not any(each is kept for each in gc.get_objects())
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize(
    ("resident_mib", "connections", "explained"),
    [(100, 0, True), (189, 0, True), (190, 0, False), (814, 10_000, True), (815, 10_000, False)],
)
def test_connections_explain_what_they_take(resident_mib: int, connections: int, explained: bool) -> None:  # noqa: FBT001
    """Ten thousand that come are no reason to hold them up for a second."""
    assert explained is Size(resident_mib * MIB, connections).is_explained(Size(100 * MIB, 0))


def test_connections_that_left_explain_nothing() -> None:
    """The memory that they have freed is used again, or was garbage."""
    assert not Size(600 * MIB, 10).is_explained(Size(400 * MIB, 5_000))


async def test_everything_is_collected_once_the_process_has_grown_without_reason(
    as_before: None, autojump_clock: trio.testing.MockClock
) -> None:
    """And not again before it has grown further."""
    lines = io.StringIO()
    size = 100 * MIB
    async with trio.open_nursery() as nursery:
        log = make_logger(style="json", stream=lines)
        nursery.start_soon(lambda: keep_small(lambda: 3, log, resident=lambda: size))
        await trio.sleep(2.5 * LOOK_EVERY_S)
        assert "" == lines.getvalue()
        size = 500 * MIB
        await trio.sleep(3 * LOOK_EVERY_S)
        nursery.cancel_scope.cancel()
    [line] = lines.getvalue().splitlines()
    told = json.loads(line)
    assert ("collected_garbage", 500, 3) == (told["event"], told["resident_mib"], told["connections"])


def test_the_resident_size_is_plausible() -> None:
    """More than an interpreter without anything, less than a machine."""
    assert 5 * MIB < resident_bytes() < 100_000 * MIB
