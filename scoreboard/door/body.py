"""The body of a request, taken from what its client has sent; synchronous, no socket."""

from __future__ import annotations

from typing import Protocol

import h11
import httptools

from scoreboard.door.limits import DoorLimits
from scoreboard.door.parser import HeadParser, ParsedHead


class BodyError(Exception):
    """What follows the head is no body; the connection cannot go on."""


class Body(Protocol):
    """The way a body comes. `complete` once its end was taken."""

    complete: bool

    @property
    def is_here(self) -> bool:
        """Whether its end is known to have come."""

    def take(self) -> bytes:
        """What has come of it and was not taken yet, often nothing. Raises BodyError."""


class SizedBody:
    """A body of a known length, which may be 0."""

    def __init__(self, length: int, received: HeadParser) -> None:
        self._missing = length
        self._received = received
        self.complete = not length

    @property
    def is_here(self) -> bool:
        """See `Body`."""
        return len(self._received) >= self._missing

    def take(self) -> bytes:
        """See `Body`."""
        if self.complete:
            return b""
        piece = self._received.take(self._missing)
        self._missing -= len(piece)
        self.complete = not self._missing
        return piece


#: So much of a body in chunks is read in one turn of the event loop: a thousand chunks, or one.
_AT_ONCE = 4 * 1024
_HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


class ChunkedBody:
    """A body in chunks, read by h11, which bounds their extensions and trailers and tells where the body ends.

    h11 lets line feeds alone, control characters, folded trailers and sizes beyond 64 bits pass, of which a proxy may
    have had another reading. llhttp does not, so it has to read the same bytes without complaint. Rare, so the price
    of two does not matter.
    """

    def __init__(self, received: HeadParser, limits: DoorLimits) -> None:
        self._received = received
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        self._parser.receive_data(_HEAD)
        self._parser.next_event()
        self._judge = httptools.HttpRequestParser(_Ignore())
        self._judge.feed_data(_HEAD)
        self._spare = limits.head_bytes  # for all but the data, which brings as much again
        self.complete = False

    @property
    def is_here(self) -> bool:
        """See `Body`."""
        return self.complete

    def take(self) -> bytes:
        """See `Body`."""
        data = b""
        while not (data or self.complete) and self._received:
            data = self._read(self._received.take(_AT_ONCE))
        return data

    def _read(self, came: bytes) -> bytes:
        behind, pieces = b"", list[bytes]()
        self._parser.receive_data(came)
        try:
            while isinstance(event := self._parser.next_event(), h11.Data):
                pieces.append(bytes(event.data))
            if isinstance(event, h11.EndOfMessage):
                behind = self._parser.trailing_data[0]
            self._judge.feed_data(came[: len(came) - len(behind)])
        except (h11.RemoteProtocolError, httptools.HttpParserError) as error:
            raise BodyError("The body of the request is not well formed.") from error
        self.complete = isinstance(event, h11.EndOfMessage)
        self._received.put_back(behind)
        data = b"".join(pieces)
        self._spare += 2 * len(data) - (len(came) - len(behind))
        if self._spare < 0:
            raise BodyError("The body of the request has too many small chunks.")
        return data


class _Ignore:
    """Who wants to hear nothing of what llhttp reads."""


def body_of(head: ParsedHead, received: HeadParser, limits: DoorLimits) -> Body:
    """The body that this head announces."""
    return ChunkedBody(received, limits) if head.length is None else SizedBody(head.length, received)
