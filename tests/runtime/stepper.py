"""A Trio loop that moves only when it is told to, on a clock that moves only when it is told to."""

from __future__ import annotations

import queue
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import outcome
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

T = TypeVar("T")


class Stepper:
    """Lets a plain, synchronous test drive tasks step by step: Trio runs as the guest of whoever calls `run`."""

    def __init__(self) -> None:
        self.clock = MockClock()
        self._events: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._jobs, self._inbox = trio.open_memory_channel[Callable[[], Awaitable[None]]](1)
        self._token: trio.lowlevel.TrioToken | None = None
        self._ended: outcome.Outcome[Any] | None = None
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._events.put,
            done_callback=self._done,
            clock=self.clock,
        )
        self._pump(lambda: self._token is not None)

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as self.nursery:
            async for job in self._inbox:
                await job()
            self.nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):  # others may have shields too, and need the clock to reach their ends
                await self.sleep_until(trio.current_time() + 100)

    def _done(self, ended: outcome.Outcome[Any]) -> None:
        self._ended = ended

    def _pump(self, until: Callable[[], bool]) -> None:
        while not until():
            self._events.get(timeout=60)()
            if self._ended is not None:
                self._ended.unwrap()

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a function inside of the loop, then everything until nothing can move; returns its result."""
        result: list[T] = []

        async def job() -> None:
            value = await function()
            await wait_all_tasks_blocked()
            result.append(value)

        assert self._token is not None
        self._token.run_sync_soon(self._jobs.send_nowait, job)
        self._pump(lambda: bool(result))
        return result[0]

    async def sleep_until(self, time: float) -> None:
        """Inside of a job: let the clock jump from one deadline to the next, and everything happen at each."""
        while (now := trio.current_time()) < time:
            ahead = trio.lowlevel.current_statistics().seconds_to_next_deadline
            self.clock.jump(min(max(ahead, 0.0), time - now))
            await wait_all_tasks_blocked()

    def close(self) -> None:
        """Cancel what still runs and end the loop."""
        assert self._token is not None
        self._token.run_sync_soon(self._jobs.close)
        self._pump(lambda: self._ended is not None)
