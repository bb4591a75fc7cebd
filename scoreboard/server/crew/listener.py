"""Accepting from a socket that all workers share, so that each gets its part of those who stay."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import trio

from scoreboard.server.crew.tally import Tally

#: Time for a worker with fewer connections to come for one; the client does not notice.
COURTESY_S = 0.002
#: Somebody with so many more than another one, and an eighth, lets that one go first.
SLACK = 4
#: After a courtesy that nobody took up (the other is busy, or stopped) so many are taken without asking.
UNASKED = 32
#: The client was faster than we; or the network has a word on a connection that is not ours yet (accept(2)).
_ITS_OWN_FAULT = frozenset(
    getattr(errno, name)
    for name in ("ECONNABORTED", "EPROTO", "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "EPERM")
    if hasattr(errno, name)
)


class SharedListener(trio.abc.Listener[trio.SocketStream]):
    """Takes a connection when it comes, unless another worker has clearly fewer: then that one may go first.

    All workers are woken by each connection, and whoever runs first has it; left to that, one had nine times as many of
    the clients that stay as the other (``scripts/bench workers``).

    Args:
        listening: The socket, of which all have a copy.
        seat: This worker's.
        tally: Of all.
        connections: How many this worker has.
    """

    def __init__(self, listening: socket.socket, seat: int, tally: Tally, connections: Callable[[], int]) -> None:
        self.socket = listening
        self._seat = seat
        self._tally = tally
        self._connections = connections
        self._unasked = 0

    def __repr__(self) -> str:
        return f"<SharedListener of seat {self._seat}, {self._tally!r}>"

    async def accept(self) -> trio.SocketStream:
        """The next one for this worker.

        Raises:
            trio.ClosedResourceError: the socket was closed here.
            OSError: the system has no descriptor or no memory for it.
        """
        while True:
            await self._wait()
            asked = self._should_ask()
            if asked:
                await trio.sleep(COURTESY_S)
            stream = self._take()
            if stream is not None:
                self._unasked = UNASKED if asked else max(0, self._unasked - 1)
                return stream

    def take_ready(self) -> trio.SocketStream | None:
        """The next one, if it is there now and no other worker should go first; raises nothing."""
        if self._should_ask():
            return None
        try:
            stream = self._take()
        except (OSError, trio.ClosedResourceError):
            return None  # it will be told to who waits for the next one
        self._unasked = max(0, self._unasked - (stream is not None))
        return stream

    async def _wait(self) -> None:
        if self.socket.fileno() < 0:
            raise trio.ClosedResourceError("the port is closed")
        await trio.lowlevel.wait_readable(self.socket)

    def _should_ask(self) -> bool:
        mine = self._connections()
        self._tally.tell(self._seat, mine)
        least = self._tally.least_of_others(self._seat)
        return not self._unasked and least is not None and mine > least + SLACK + least // 8

    def _take(self) -> trio.SocketStream | None:
        try:
            taken, _ = self.socket.accept()
        except BlockingIOError:
            return None  # another worker was faster
        except OSError as error:
            if error.errno in _ITS_OWN_FAULT:
                return None
            if self.socket.fileno() < 0:
                raise trio.ClosedResourceError("the port is closed") from None
            raise
        return trio.SocketStream(trio.socket.from_stdlib_socket(taken))

    async def aclose(self) -> None:
        """Take no more here; the others go on, and wait for this one no more."""
        self._tally.forget(self._seat)
        if self.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.socket)
        self.socket.close()
        await trio.lowlevel.checkpoint()
