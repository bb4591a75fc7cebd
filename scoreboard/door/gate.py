"""Where the reader of a connection waits while an earlier request is being answered."""

from __future__ import annotations

import trio


class Gate:
    """In place of Hypercorn's event, which nobody sets any more once the connection is over.

    The reader would wait there for ever, and its connection with it.
    """

    def __init__(self) -> None:
        self._event = trio.Event()
        self._over = False

    async def clear(self) -> None:
        """Close the gate."""
        if not self._over:
            self._event = trio.Event()

    async def set(self) -> None:
        """Open the gate."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until it is open.

        Raises:
            trio.ClosedResourceError: the connection is over.
        """
        await self._event.wait()
        if self._over:
            raise trio.ClosedResourceError("the connection is over")

    def is_set(self) -> bool:
        """Whether it is open."""
        return self._event.is_set()

    def end(self) -> None:
        """The connection is over."""
        self._over = True
        self._event.set()
