"""What another worker of this machine holds: requests are passed on to it, and its answers back.

Request by request, because a connection is nobody's: a proxy sends those of many clients through one. What passes is
not looked into, except for where an answer ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import httptools
import trio

from scoreboard.door.body import BodyError, body_of
from scoreboard.door.farewell import last_answer
from scoreboard.door.observer import Drop
from scoreboard.door.parser import ParsedHead

if TYPE_CHECKING:
    from scoreboard.door.connection import Http1Connection

#: Opens a line to another worker, which is told for which address it is; raises OSError.
OpenLine = Callable[[str], Awaitable[trio.SocketStream]]
#: How to reach the worker that holds what a target asks for; None if it is this one, or nobody.
Elsewhere = Callable[[str], OpenLine | None]
#: Has the worker that holds what a target asks for answer now what waits there for something to happen.
Hurry = Callable[[str], Awaitable[None]]

REACHED_WITHIN_S = 1.0
#: Methods whose answers end where their heads say.
RELAYED = frozenset({b"GET", b"POST"})
_READ_BYTES = 16 * 1024
_FIRST_FINAL = 200


def nowhere_else(_target: str) -> OpenLine | None:
    """For a server of one process."""
    return None


async def let_it_wait(_target: str) -> None:
    """Likewise."""


async def reach(open_line: OpenLine, client: str) -> trio.SocketStream | None:
    """A line to that worker; None if there is none: then what it held is lost, and this worker says so."""
    with trio.move_on_after(REACHED_WITHIN_S), suppress(OSError):
        return await open_line(client)
    return None


class RelayedTurn:
    """One request whose answer another worker gives; in place of a `Turn`."""

    def __init__(self, connection: Http1Connection, head: ParsedHead, line: trio.SocketStream) -> None:
        self._connection = connection
        self._head = head
        self._line = line
        self._body = body_of(head, connection.received, connection.site.limits)
        self._answer = _Answer()

    @property
    def may_go_on(self) -> bool:
        """Whether both request and answer are complete and neither was the last one."""
        return self._answer.complete and not self._answer.last and self._body.complete

    async def serve(self) -> None:
        """Pass both on, to the end of the answer."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pass_request, nursery.cancel_scope)
                nursery.start_soon(self._hurry_when_closing)
                await self._pass_answer()
                nursery.cancel_scope.cancel()
        finally:
            self._answer.forget()
            self._line.socket.close()

    async def _hurry_when_closing(self) -> None:
        """A poll may wait for half a minute: its client gets an answer, and asks the next time somebody who stays."""
        await self._connection.closing.wait()
        await self._connection.site.hurry(self._head.target.decode("latin-1"))

    async def _pass_request(self, serving: trio.CancelScope) -> None:
        """To its end; then watch whether the client waits for the answer. If not, the other worker shall know."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # it has answered already, or is gone
            await self._line.send_all(self._head.raw)
            while not self._body.complete:
                piece = await self._piece()
                if piece is None:
                    serving.cancel()
                    return
                await self._line.send_all(piece)
            await self._connection.until_gone()
            serving.cancel()

    async def _piece(self) -> bytes | None:
        """What has come of the body, as it goes on; None if it will never be whole."""
        connection = self._connection
        with trio.move_on_after(connection.site.piece_within_s()):
            while True:
                try:
                    piece = self._body.take()
                except BodyError:
                    connection.site.dropped(Drop.BAD_BODY)
                    return None
                if piece or self._body.complete:
                    return self._framed(piece)
                if not await connection.read():
                    return None
        connection.site.dropped(Drop.SLOW_BODY)
        return None

    def _framed(self, piece: bytes) -> bytes:
        if self._head.length is not None:
            return piece
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        return chunk + b"0\r\n\r\n" if self._body.complete else chunk

    async def _pass_answer(self) -> None:
        connection, begun = self._connection, False
        while not (self._answer.complete or connection.broken):
            data = b""
            with suppress(trio.BrokenResourceError):
                data = bytes(await self._line.receive_some(_READ_BYTES))
            if not data or not self._answer.feed(data):
                break
            await connection.write(data if begun or not connection.is_last else _as_last(data))
            begun = True
        if not begun and not connection.broken:
            sentence = "The worker that holds this is gone."
            await connection.write(last_answer(connection.site.words, self._head.target, 503, sentence))


def _as_last(data: bytes) -> bytes:
    """The beginning of an answer, so that its client asks on another connection the next time."""
    line, end, rest = data.partition(b"\r\n")
    return line + end + b"connection: close\r\n" + rest if end and not line.split(b" ")[1].startswith(b"1") else data


class _Answer:
    """Finds the end of an answer in what passes by. `last`: nothing follows it on this connection."""

    def __init__(self) -> None:
        self.complete = self.last = False
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bool:
        """One more piece; whether it was one of an answer."""
        try:
            if self._parser is not None:
                self._parser.feed_data(data)
        except httptools.HttpParserError:
            return False
        return True

    def on_message_complete(self) -> None:
        """The parser has read to an end; an invitation to send the body is none."""
        if self._parser is not None and self._parser.get_status_code() >= _FIRST_FINAL:
            self.complete, self.last = True, not self._parser.should_keep_alive()

    def forget(self) -> None:
        """Let go of the parser, which knows this object: nothing shall be left to be collected."""
        self._parser = None
