"""The stream that an HTTP server gets instead of the socket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import trio

from scoreboard.door.limits import DoorLimits


class HttpStream(trio.abc.HalfCloseableStream):
    """Replays the head that the door has read, ends every write by a deadline, and leaves the socket to the door.

    The deadline stands inside of this stream because Hypercorn shields its writes from cancellation. After a failed
    write nothing more can be sent or received: half an answer may be on the wire, and a server that only waits for the
    next request has to learn of it.

    `aclose` ends the talk, also for a task that is reading, but the socket stays open for the door to linger on.
    `on_unread` is called when a write came to its deadline.
    """

    def __init__(
        self, transport: trio.SocketStream, replay: bytes, limits: DoorLimits, on_unread: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._replay = replay
        self._limits = limits
        self._on_unread = on_unread
        self._sending = False
        self._reading: trio.CancelScope | None = None
        self._end: type[trio.BrokenResourceError | trio.ClosedResourceError] | None = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The replayed bytes first, then the socket's; at most `max_bytes`."""
        if self._end is not None:
            raise self._end
        if self._replay:
            data, self._replay = self._replay[:max_bytes], self._replay[max_bytes:] if max_bytes else b""
            await trio.lowlevel.checkpoint()
            return data
        with trio.CancelScope() as self._reading:
            return await self._transport.receive_some(max_bytes)
        raise trio.ClosedResourceError("the talk was ended while this task was reading")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send within the deadline for so many bytes.

        Raises:
            trio.BrokenResourceError: the client does not read, or is gone.
        """
        if self._end is not None:
            raise self._end
        within = self._limits.write_within_s + len(data) / self._limits.write_bytes_per_s
        with trio.move_on_after(within):
            self._sending = True
            try:
                return await self._transport.send_all(data)
            except BaseException:  # also when cancelled: half an answer may be on the wire
                self._stop(trio.BrokenResourceError)
                raise
            finally:
                self._sending = False
        self._on_unread()
        raise trio.BrokenResourceError("the client does not read")

    async def wait_send_all_might_not_block(self) -> None:
        """As the socket; bounded like a write."""
        with trio.fail_after(self._limits.write_within_s):
            await self._transport.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that no more will be sent.

        Hypercorn calls this beside a write of another task, and of two such the socket's stream would let the write
        fail. Here the end does.

        Raises:
            trio.BusyResourceError: a write is in progress.
        """
        if self._end is not None:
            raise self._end
        if self._sending:
            raise trio.BusyResourceError("another task is sending")
        with suppress(OSError):  # the client was faster
            self._transport.socket.shutdown(trio.socket.SHUT_WR)
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """End the talk; see the class."""
        self._stop(trio.ClosedResourceError)
        await trio.lowlevel.checkpoint()

    def _stop(self, end: type[trio.BrokenResourceError | trio.ClosedResourceError]) -> None:
        if self._end is None:
            self._end = end
        if self._reading is not None:
            self._reading.cancel()
