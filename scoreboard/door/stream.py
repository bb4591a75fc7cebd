"""The stream that an HTTP server gets instead of the socket."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import trio

from scoreboard.door.limits import DoorLimits
from scoreboard.door.pace import has_come
from scoreboard.door.tls_stream import TlsStream
from scoreboard.door.transport import Transport
from scoreboard.ends import Ends, Waiting

T = TypeVar("T")
R = TypeVar("R")


class HttpStream:
    """Ends every write by a deadline, and leaves the socket to the door.

    A write is shielded from cancellation, because half an answer is worse than none, and the deadline bounds that.
    After a failed write nothing more can be sent or received: half an answer may be on the wire, and a server that only
    waits for the next request has to learn of it.

    Reading waits for the socket first, because a request is hardly ever there already; writing tries the socket first,
    because an answer nearly always fits. Both go past Trio's own stream, whose helpers for every other case cost more
    than the system calls.

    `close` ends the talk, also for a task that is reading, but the socket stays open for the door to linger on.
    `on_unread` is called when a write came to its deadline, which is among `ends`.
    """

    def __init__(self, transport: Transport, limits: DoorLimits, on_unread: Callable[[], None], ends: Ends) -> None:
        self._transport = transport
        self._tls = transport.socket if isinstance(transport, TlsStream) else None
        self._limits = limits
        self._on_unread = on_unread
        self._ends = ends
        self._sending = trio.Lock()
        self._end: type[trio.BrokenResourceError | trio.ClosedResourceError] | None = None

    def __repr__(self) -> str:
        return f"<HttpStream {'open' if self._end is None else 'over'}>"

    async def receive_some(self, most: int) -> bytes:
        """What the client has sent, once it has; nothing at its end. Lets other tasks run in every case.

        Raises:
            trio.BrokenResourceError: the client is gone, or a write failed.
            trio.ClosedResourceError: `close` was called.
        """
        while True:
            self._require_open()
            await self._wait_readable()
            self._require_open()
            with suppress(BlockingIOError):
                return self._system(os.read, most) if self._tls is None else self._secretly(self._tls.recv, most)

    def has_come(self) -> bool:
        """Whether `receive_some` would find something, or the end."""
        return has_come(self._transport)

    async def send_all(self, data: bytes) -> None:
        """Send within the deadline for so many bytes. Lets other tasks run only if the socket does not take them all.

        Raises:
            trio.BrokenResourceError: the client does not read, or is gone.
            trio.ClosedResourceError: `close` was called.
        """
        self._require_open()
        sent = 0
        if not self._sending.locked():
            with suppress(BlockingIOError):
                sent = self._system(os.write, data) if self._tls is None else self._secretly(self._tls.send, data)
        if sent < len(data):
            with trio.CancelScope(shield=True):
                async with self._sending:
                    await self._send_slowly(memoryview(data)[sent:])

    def close(self) -> None:
        """End the talk; see the class."""
        self._stop(trio.ClosedResourceError)

    async def _send_slowly(self, data: memoryview) -> None:
        self._require_open()
        within = self._limits.write_within_s + len(data) / self._limits.write_bytes_per_s
        with trio.move_on_after(self._ends.within(within, Waiting.READER, trio.current_time())) as waiting:
            try:
                await self._transport.send_all(data)
            except BaseException:  # also at the deadline: half an answer may be on the wire
                self._stop(trio.BrokenResourceError)
                raise
        if waiting.cancelled_caught:
            self._on_unread()
            raise trio.BrokenResourceError("the client does not read")

    async def _wait_readable(self) -> None:
        if self._tls is not None and self._tls.has_more:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.wait_readable(self._transport.socket)

    def _secretly(self, call: Callable[[T], R], argument: T) -> R:
        """As `_system`, through TLS."""
        return self._system(lambda _, data: call(data), argument)

    def _system(self, call: Callable[[int, T], R], argument: T) -> R:
        """A system call on the socket, with its errors as Trio's; BlockingIOError stays what it is."""
        try:
            return call(self._transport.socket.fileno(), argument)
        except BlockingIOError:
            raise
        except OSError as error:
            self._stop(trio.BrokenResourceError)
            raise trio.BrokenResourceError(f"the connection is lost: {error}") from error

    def _require_open(self) -> None:
        if self._end is not None:
            raise self._end
        if self._transport.socket.fileno() < 0:  # the door was faster
            raise trio.ClosedResourceError("the socket is closed")

    def _stop(self, end: type[trio.BrokenResourceError | trio.ClosedResourceError]) -> None:
        if self._end is None:
            self._end = end
        if self._transport.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._transport.socket)  # wakes a reader
