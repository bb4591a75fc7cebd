"""How long a connection may wait for its next request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf

import trio
from hypercorn.trio.task_group import TaskGroup
from hypercorn.typing import Event


class IdleLimit:
    """In place of Hypercorn's idle task: one task for the life of a connection, and a deadline that moves.

    The original begins and cancels a task for every request, which took 125 of 1,360 microseconds of a token and
    increment cycle (``scripts/bench stages``).

    Args:
        within_s: How long it may be idle.
        terminated: Set when the door closes; then idle connections end at once.
        close: Ends the connection.
    """

    def __init__(self, within_s: float, terminated: Event, close: Callable[[], Awaitable[None]]) -> None:
        self._within_s = within_s
        self._terminated = terminated
        self._close = close
        self._scope = trio.CancelScope()
        self._idle = trio.Event()
        self._begun = False
        self._over = False

    def __repr__(self) -> str:
        return f"<IdleLimit {'over' if self._over else 'idle' if self._idle.is_set() else 'busy'}>"

    async def restart(self, tasks: TaskGroup, _action: object = None) -> None:
        """The connection is idle from now on."""
        self._scope.deadline = trio.current_time() + self._within_s
        self._idle.set()
        if not self._begun:
            self._begun = True
            tasks.spawn(self._watch)

    async def stop(self) -> None:
        """It is busy."""
        self._scope.deadline = inf
        self._idle = trio.Event()

    def end(self) -> None:
        """It is over, and nobody need close it."""
        self._over = True
        self._scope.cancel()

    async def _watch(self) -> None:
        with self._scope:
            await self._terminated.wait()
            await self._idle.wait()
        if not self._over:
            with trio.CancelScope(shield=True):  # as in the original: it waits for nobody
                await self._close()
