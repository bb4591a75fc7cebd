"""Who waits to be let in: many at a time, so that a crowd before them does not keep others outside."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol, runtime_checkable

import trio

#: So many in one turn of the event loop. With three a turn a crowd comes faster than it is let in, once those inside
#: make turns long: the first request of somebody behind 1,900 who send bytes took 24 s, and with 16 takes half a
#: second. With 64 it took a third, and those who were inside waited for turns twice as long (``tests/edge/herd``).
AT_ONCE = 16


@runtime_checkable
class OverQueue(Protocol):
    """A listener that is no `trio.SocketListener` and tells all the same who waits."""

    def take_ready(self) -> trio.SocketStream | None:
        """The next one for us, if there is one now; raises nothing."""
        ...


class Queue:
    """Those who wait at one listener, which belongs to who opened it."""

    def __init__(self, listener: trio.abc.Listener[trio.SocketStream]) -> None:
        self._listener = listener
        self._socket = None
        if isinstance(listener, trio.SocketListener):
            self._socket = socket.socket(fileno=socket.dup(listener.socket.fileno()))

    def __repr__(self) -> str:
        return f"<Queue at {self._listener!r}>"

    async def accept(self) -> trio.SocketStream:
        """Wait for somebody.

        Raises:
            trio.ClosedResourceError: the listener was closed.
            OSError: the system has nothing left for another connection.
        """
        return await self._listener.accept()

    def ready(self) -> Iterator[trio.SocketStream]:
        """Who has come meanwhile, one after the other and not too many; never waits."""
        for _ in range(AT_ONCE - 1):
            stream = self._take_ready()
            if stream is None:
                return
            yield stream

    def _take_ready(self) -> trio.SocketStream | None:
        if isinstance(self._listener, OverQueue):
            return self._listener.take_ready()
        if self._socket is not None:
            with suppress(OSError):  # none left; what is wrong beyond that is told to who waits for the next one
                return trio.SocketStream(trio.socket.from_stdlib_socket(self._socket.accept()[0]))
        return None

    def close(self) -> None:
        """Take no more."""
        if self._socket is not None:
            self._socket.close()
