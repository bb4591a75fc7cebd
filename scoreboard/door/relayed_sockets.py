"""WebSockets of clients whose sessions another worker holds: passed on, and told when to come back if this one ends.

What passes is not looked into, except for where a frame of the other worker ends: there a close frame of ours may
stand.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import trio

from scoreboard.door.head import RequestHead
from scoreboard.door.transport import Transport

#: For the client to answer our close frame, which the other worker hears and then hangs up.
ANSWERED_WITHIN_S = 2.0
_READ_BYTES = 16 * 1024
_SWITCHED = b"HTTP/1.1 101 "
_LONGEST_ANSWER = 64 * 1024
_CLOSE = 0x88
_ENDS = (trio.BrokenResourceError, trio.ClosedResourceError)


class FrameEnds:
    """Finds the ends of frames in what a server sends: its answer to the handshake, then frames without a mask."""

    def __init__(self) -> None:
        self._head = b""  # of the answer, then of a frame; as far as it has come
        self._left = 0  # of the frame's own bytes
        self._switched = False
        self._closed = False  # a close frame, or no WebSocket at all: nothing follows

    @property
    def may_close(self) -> bool:
        """Whether a close frame may stand here."""
        return self._switched and not (self._closed or self._head or self._left)

    def feed(self, data: bytes) -> None:
        """So much passed by."""
        if not self._switched:
            data = self._answered(data)
        at = 0
        while at < len(data) and not self._closed:
            if self._left:
                passed = min(self._left, len(data) - at)
                self._left, at = self._left - passed, at + passed
            else:
                self._head, at = self._head + data[at : at + 1], at + 1
                self._begin_frame()

    def _answered(self, data: bytes) -> bytes:
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if end and head.startswith(_SWITCHED):
            self._head, self._switched = b"", True
            return rest
        self._closed = bool(end) or len(head) > _LONGEST_ANSWER
        self._head = b"" if self._closed else head
        return b""

    def _begin_frame(self) -> None:
        """Once its head is whole."""
        head = self._head
        if len(head) < 2:  # noqa: PLR2004 - the least that it has
            return
        longer = {126: 2, 127: 8}.get(head[1] & 0x7F, 0)
        if len(head) == 2 + longer:
            self._left = int.from_bytes(head[2:], "big") if longer else head[1] & 0x7F
            self._closed = head[0] == _CLOSE
            self._head = b""


class RelayedSocket:
    """One of them.

    Args:
        line: To the worker that holds its session.
        write_within_s: Who does not take a piece in this time is let go.
    """

    def __init__(self, line: trio.SocketStream, write_within_s: float) -> None:
        self._line = line
        self._write_within_s = write_within_s
        self._ends = FrameEnds()
        self._reading = trio.CancelScope()  # the present one
        self._goodbye: bytes | None = None  # what a close frame of ours has in it

    def __repr__(self) -> str:
        return f"<RelayedSocket{', to be closed' if self._goodbye is not None else ''}>"

    def dismiss(self, code: int, reason: str) -> None:
        """Close it at the end of a frame, and tell its client that."""
        self._goodbye = code.to_bytes(2, "big") + reason.encode()
        if self._ends.may_close:
            self._reading.cancel()

    async def serve(self, transport: Transport, head: RequestHead, closing: trio.Event) -> None:
        """A connection that is a WebSocket from here on, until one side ends it or the door closes."""
        try:
            async with trio.open_nursery() as nursery:

                async def until_closing() -> None:
                    await closing.wait()
                    nursery.cancel_scope.cancel()

                async def inwards() -> None:
                    await self._line.send_all(head.raw + head.rest)
                    await self._copy_in(transport)
                    await self._line.send_eof()

                nursery.start_soon(until_closing)
                nursery.start_soon(_quietly, inwards)
                await _quietly(partial(self._copy_out, transport))
                nursery.cancel_scope.cancel()
        finally:
            self._line.socket.close()

    async def _copy_in(self, transport: Transport) -> None:
        while data := await transport.receive_some(_READ_BYTES):
            if not await self._sent(self._line, bytes(data)):
                return

    async def _copy_out(self, transport: Transport) -> None:
        """All that comes from the other worker, to its end, or to the end of a frame when it is dismissed."""
        while self._goodbye is None or not self._ends.may_close:
            data = b""
            with trio.CancelScope() as self._reading:
                data = bytes(await self._line.receive_some(_READ_BYTES))
            if not data and not self._reading.cancelled_caught:
                return
            self._ends.feed(data)
            if not await self._sent(transport, data):
                return
        await self._say_goodbye(transport, self._goodbye)

    async def _say_goodbye(self, transport: Transport, told: bytes) -> None:
        if await self._sent(transport, bytes([_CLOSE, len(told)]) + told):
            with trio.move_on_after(ANSWERED_WITHIN_S):
                while await self._line.receive_some(_READ_BYTES):
                    pass  # its client may not be told any more

    async def _sent(self, target: trio.abc.SendStream, data: bytes) -> bool:
        with trio.move_on_after(self._write_within_s) as writing:
            await target.send_all(data)
        return not writing.cancelled_caught


#: Divides those who are to go, and gives each part when it is its turn.
Waves = Callable[[Sequence[RelayedSocket]], AsyncIterable[Sequence[RelayedSocket]]]


class RelayedSockets:
    """All of one door."""

    def __init__(self, write_within_s: float) -> None:
        self._write_within_s = write_within_s
        self._sockets: set[RelayedSocket] = set()

    def __len__(self) -> int:
        return len(self._sockets)

    async def serve(
        self, transport: Transport, head: RequestHead, closing: trio.Event, line: trio.SocketStream
    ) -> None:
        """One more; see `RelayedSocket.serve`."""
        socket = RelayedSocket(line, self._write_within_s)
        self._sockets.add(socket)
        try:
            await socket.serve(transport, head, closing)
        finally:
            self._sockets.discard(socket)

    async def send_home(self, waves: Waves, parting: Callable[[], tuple[int, str]]) -> None:
        """Close all that are there now, in these waves, and tell each client code and reason of its own."""
        sockets = list(self._sockets)
        random.shuffle(sockets)
        async for wave in waves(sockets):
            for socket in wave:
                socket.dismiss(*parting())


async def _quietly(work: Callable[[], Awaitable[None]]) -> None:
    """Do it while both are there: the other direction notices, too."""
    with suppress(*_ENDS):
        await work()
