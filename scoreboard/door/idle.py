"""How long a connection may wait for its next request."""

from __future__ import annotations

from collections.abc import Callable

import trio


class IdleLimit:
    """In place of Hypercorn's idle task: one task for the life of a connection, which looks seldom.

    The original begins and cancels a task for every request. Here a request costs two assignments.

    Args:
        within_s: How long it may be idle.
        closing: Set when the door closes; then idle connections end at once.
        close: Ends the connection.
    """

    def __init__(self, within_s: float, closing: trio.Event, close: Callable[[], None]) -> None:
        self._within_s = within_s
        self._closing = closing
        self._close = close
        self._ends = trio.CancelScope()
        self._since: float | None = trio.current_time()  # None: busy

    def __repr__(self) -> str:
        return f"<IdleLimit {'over' if self._ends.cancel_called else 'busy' if self._since is None else 'idle'}>"

    def restart(self) -> None:
        """The connection is idle from now on."""
        self._since = trio.current_time()

    def stop(self) -> None:
        """It is busy. When the door closes meanwhile, it has to see for itself that it ends with its answer."""
        self._since = None

    def end(self) -> None:
        """It is over, and nobody need close it."""
        self._ends.cancel()

    async def watch(self) -> None:
        """Close the connection when it has been idle for too long, or is idle when the door closes."""
        with self._ends:
            while not self._closing.is_set():
                with trio.move_on_at(self._next_look()):
                    await self._closing.wait()
                if self._is_too_long:
                    break
            if self._since is not None:
                self._close()

    def _next_look(self) -> float:
        return (trio.current_time() if self._since is None else self._since) + self._within_s

    @property
    def _is_too_long(self) -> bool:
        return self._since is not None and trio.current_time() >= self._since + self._within_s
