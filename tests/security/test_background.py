"""Threads that let others go first."""

from __future__ import annotations

import os
import sys
import threading

import pytest
import trio

from scoreboard.security.background import NICENESS, BackgroundThreads

linux = pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux alone")


def niceness() -> int:
    """Of the thread that asks."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@linux
async def test_others_go_first_and_no_other_thread_steps_back() -> None:
    """Neither the loop's nor those that Trio lends for other work."""
    before = niceness()
    assert max(before, NICENESS) == await BackgroundThreads(1).run(niceness)
    assert (before, before) == (niceness(), await trio.to_thread.run_sync(niceness))


async def test_a_system_that_does_not_let_threads_step_back_runs_them_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The work is done all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.setpriority", refuse)
    assert 7 == await BackgroundThreads(1).run(lambda: 7)


async def test_what_is_raised_there_is_raised_here() -> None:
    """And the thread goes on."""
    threads = BackgroundThreads(1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert 1 == await threads.run(lambda: 1)


async def test_so_many_threads_there_are_at_most() -> None:
    """Who is one too many waits for another to end."""
    threads, inside, most = BackgroundThreads(2), 0, 0
    lock, free = threading.Lock(), threading.Event()

    def work() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if most == 2:
                free.set()
        free.wait(5)
        with lock:
            inside -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(threads.run, work)
    assert (0, 2) == (inside, most)
