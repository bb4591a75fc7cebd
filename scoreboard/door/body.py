"""The body of a request, taken from what its client has sent; synchronous, no socket."""

from __future__ import annotations

from typing import Protocol

import h11

from scoreboard.door.limits import DoorLimits
from scoreboard.door.parser import Head, HeadParser


class BodyError(Exception):
    """What follows the head is no body; the connection cannot go on."""


class Body(Protocol):
    """The way a body comes. `complete` once its end was taken."""

    complete: bool

    def take(self) -> bytes:
        """What has come of it and was not taken yet, often nothing. Raises BodyError."""


class SizedBody:
    """A body of a known length, which may be 0."""

    def __init__(self, length: int, received: HeadParser) -> None:
        self._missing = length
        self._received = received
        self.complete = not length

    def take(self) -> bytes:
        """See `Body`."""
        if self.complete:
            return b""
        piece = self._received.take(self._missing)
        self._missing -= len(piece)
        self.complete = not self._missing
        return piece


class ChunkedBody:
    """A body in chunks, read by h11, which bounds their extensions and trailers. Rare, so its price does not matter."""

    def __init__(self, received: HeadParser, limits: DoorLimits) -> None:
        self._received = received
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        self._parser.receive_data(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        self._parser.next_event()
        self.complete = False

    def take(self) -> bytes:
        """See `Body`."""
        if self.complete or not self._received:
            return b""
        self._parser.receive_data(self._received.take())
        pieces = []
        try:
            while isinstance(event := self._parser.next_event(), h11.Data):
                pieces.append(bytes(event.data))
        except h11.RemoteProtocolError as error:
            raise BodyError("The body of the request is not well formed.") from error
        if isinstance(event, h11.EndOfMessage):
            self.complete = True
            self._received.feed(self._parser.trailing_data[0])
        return b"".join(pieces)


def body_of(head: Head, received: HeadParser, limits: DoorLimits) -> Body:
    """The body that this head announces."""
    return ChunkedBody(received, limits) if head.length is None else SizedBody(head.length, received)
