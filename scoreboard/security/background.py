"""Threads for work that takes a processor for long: the system lets everything else go before them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import trio

T = TypeVar("T")

#: Beside a thread of the usual niceness, which is 0, one of 10 gets a tenth of a processor that both want, and all of
#: one that is idle. It is no 19, which would hardly come to its end beside a busy server.
NICENESS = 10


class BackgroundThreads:
    """At most so many, of their own: a thread that has stepped back may not come forward again."""

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="background", initializer=step_back)
        self._most = most

    def __repr__(self) -> str:
        return f"<BackgroundThreads, {self._most} at most>"

    async def run(self, work: Callable[[], T]) -> T:
        """Do it there. Who is cancelled waits for it all the same, as the processor does: give it short work."""
        token, done = trio.lowlevel.current_trio_token(), trio.Event()

        def tell(_: object) -> None:
            with suppress(trio.RunFinishedError):  # nobody waits any more
                token.run_sync_soon(done.set)

        future = self._pool.submit(work)
        future.add_done_callback(tell)
        with trio.CancelScope(shield=True):
            await done.wait()
        return future.result()


def step_back() -> None:
    """Let others go first, from now on: Linux has a niceness for each thread. Elsewhere nothing changes."""
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):  # then it is as all others
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
