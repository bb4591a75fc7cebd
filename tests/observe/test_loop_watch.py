from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio
import trio.testing

from scoreboard.observe.loop_watch import LoopWatch, where


class Stopwatch:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Lines:
    """What was warned of."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def warning(self, event: str, **fields: object) -> None:
        self.said.append({"event": event, **fields})


@pytest.fixture
def clock() -> Stopwatch:
    """A clock of the test's own."""
    return Stopwatch()


@pytest.fixture
def lines() -> Lines:
    """A log of the test's own."""
    return Lines()


@contextmanager
def watched(held: list[float], lines: Lines, clock: Stopwatch) -> Iterator[LoopWatch]:
    """The loop of this test under watch, from its next turn on."""
    watch = LoopWatch(held.append, lines, now=clock)
    with watch.running():
        yield watch


def turn(watch: LoopWatch, clock: Stopwatch, seconds: float) -> None:
    """One turn with a wait before and behind it."""
    watch.after_io_wait(1.0)
    clock.now += seconds
    watch.before_io_wait(1.0)


async def test_each_turn_of_the_loop_is_measured_and_no_wait(clock: Stopwatch, lines: Lines) -> None:
    """Trio itself calls the hooks: a step that takes 40 ms is in the turn that it was made in."""
    held: list[float] = []
    with watched(held, lines, clock):
        await trio.lowlevel.checkpoint()
        held.clear()
        clock.now += 0.04
        await trio.lowlevel.checkpoint()
        first = list(held)
        await trio.testing.wait_all_tasks_blocked()
    assert [pytest.approx(0.04)] == first
    assert 0.04 == pytest.approx(sum(held))


def test_what_passes_while_nobody_has_anything_to_do_is_no_lag(clock: Stopwatch, lines: Lines) -> None:
    """An idle server lags behind nothing."""
    held: list[float] = []
    watch = LoopWatch(held.append, lines, now=clock)
    turn(watch, clock, 0.002)
    clock.now += 60
    turn(watch, clock, 0.003)
    assert [pytest.approx(0.002), pytest.approx(0.003)] == held


def test_to_look_for_input_without_waiting_belongs_to_the_turn(clock: Stopwatch, lines: Lines) -> None:
    """With thousands of sockets ready that takes its time too."""
    held: list[float] = []
    watch = LoopWatch(held.append, lines, now=clock)
    watch.after_io_wait(1.0)
    clock.now += 0.001
    watch.before_io_wait(0)
    clock.now += 0.004
    watch.after_io_wait(0)
    assert [pytest.approx(0.005)] == held


def test_a_long_turn_is_warned_of_with_who_held_it(clock: Stopwatch, lines: Lines) -> None:
    """The other thread looks in the middle of it, so the line names this very function."""
    watch = LoopWatch(lambda _: None, lines, now=clock)
    watch.after_io_wait(1.0)
    clock.now += 0.2
    looker = threading.Thread(target=watch.look)
    looker.start()
    looker.join()
    clock.now += 0.2
    watch.before_io_wait(1.0)
    [line] = lines.said
    assert ("loop_held", 0.4, 0) == (line["event"], line["seconds"], line["unlogged"])
    assert any("test_a_long_turn_is_warned_of_with_who_held_it" in place for place in line["seen_at"])


def test_a_short_turn_is_not_looked_into_and_leaves_nothing_to_the_next(clock: Stopwatch, lines: Lines) -> None:
    """A line must not blame who held the loop another time."""
    watch = LoopWatch(lambda _: None, lines, now=clock)
    watch.after_io_wait(1.0)
    clock.now += 0.2
    watch.look()
    watch.before_io_wait(1.0)
    turn(watch, clock, 0.3)
    [line] = lines.said
    assert (0.3, ()) == (line["seconds"], line["seen_at"])


def test_warnings_are_few_and_the_next_tells_of_those_left_out(clock: Stopwatch, lines: Lines) -> None:
    """A server in trouble does not fill its log with that."""
    watch = LoopWatch(lambda _: None, lines, now=clock)
    for _ in range(5):
        turn(watch, clock, 0.3)
    clock.now += 10
    turn(watch, clock, 0.26)
    turn(watch, clock, 0.25)
    assert [(0.3, 0), (0.26, 4)] == [(line["seconds"], line["unlogged"]) for line in lines.said]


async def test_the_collector_is_told_apart(clock: Stopwatch, lines: Lines) -> None:
    """Whoever reads the line knows whether to look for garbage or for work."""

    def slow(phase: str, _info: dict[str, int]) -> None:
        clock.now += 0.3 if phase == "start" else 0.0

    with watched([], lines, clock):
        gc.callbacks.append(slow)  # called behind the watch's own: the collection seems to take that long
        await trio.lowlevel.checkpoint()
        gc.collect()
        gc.callbacks.remove(slow)
        await trio.lowlevel.checkpoint()
    assert [(0.3, 0.3)] == [(line["seconds"], line["collecting_garbage_s"]) for line in lines.said]


async def test_nothing_is_left_behind(clock: Stopwatch, lines: Lines) -> None:
    """Neither an instrument nor a callback outlives the scope."""
    held: list[float] = []
    callbacks = list(gc.callbacks)
    with watched(held, lines, clock):
        await trio.lowlevel.checkpoint()
    held.clear()
    await trio.lowlevel.checkpoint()
    assert ([], callbacks) == (held, gc.callbacks)


def test_where_it_was_is_told_without_the_loop_itself() -> None:
    """At most the innermost frames, the outermost of them first; nothing for a thread that has gone."""
    assert () == where(None)

    def deep(left: int) -> tuple[str, ...]:
        return deep(left - 1) if left else where(__import__("sys")._getframe())

    found = deep(20)
    assert 8 == len(found)
    assert found[-1].endswith("deep")
    assert found[-1].startswith("tests/observe/test_loop_watch.py:")
