"""The head of the first request: read within bounds, parsed by h11, judged by what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import h11
import trio

from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop

_READ_BYTES = 8 * 1024
_HTTP2_PREFACE = b"PRI "
_TOO_LARGE = 431


class HeadRefused(Exception):
    """The client sent no head that may be served. `status` is what to answer; None: not worth an answer."""

    def __init__(self, status: int | None, why: Drop, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.why = why


class Kind(Enum):
    """Who serves a connection."""

    HTTP = "http"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The first request of a connection, as h11 understood it.

    `target` is the raw request target, `path` and `query` its two halves, not decoded. Header names are lower-case;
    names and values are Latin-1 text, in the order sent. `raw` are the bytes of the head, `rest` what was read behind
    it; a handler that parses for itself must be fed both.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    http_version: str
    raw: bytes
    rest: bytes

    @property
    def path(self) -> str:
        """The target up to its question mark."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target behind its first question mark."""
        return self.target.partition("?")[2]

    def values(self, name: str) -> list[str]:
        """All values of a header, by its lower-case name."""
        return [value for key, value in self.headers if key == name]

    @property
    def kind(self) -> Kind:
        """WEBSOCKET if the request asks to become one in the form that RFC 6455 gives, otherwise HTTP."""
        asks = "websocket" in _tokens(self.values("upgrade")) and "upgrade" in _tokens(self.values("connection"))
        return Kind.WEBSOCKET if asks and self.method == "GET" else Kind.HTTP


class HeadReader:
    """Takes the bytes of a client as they come; synchronous, no socket.

    One parser for all pieces: a head that drips in byte by byte is searched once, not once a byte.
    """

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        self._received = bytearray()

    @property
    def begun(self) -> bool:
        """Whether anything came at all."""
        return bool(self._received)

    def feed(self, data: bytes) -> RequestHead | None:
        """One more piece; returns the head when it is complete.

        Raises:
            HeadRefused: this is not going to be a head that may be served.
        """
        self._received += data
        if self._received.startswith(_HTTP2_PREFACE):
            raise HeadRefused(505, Drop.HTTP2, "This port speaks HTTP/1.1 only.")
        self._parser.receive_data(data)
        try:
            request = self._parser.next_event()
        except h11.RemoteProtocolError as error:
            raise _refused(error) from error
        return self._judge(request) if isinstance(request, h11.Request) else None

    def _judge(self, request: h11.Request) -> RequestHead:
        rest = self._parser.trailing_data[0]
        raw = bytes(self._received[: len(self._received) - len(rest)])
        if len(raw) > self._limits.head_bytes or len(request.headers) > self._limits.head_headers:
            raise HeadRefused(_TOO_LARGE, Drop.LARGE_HEAD, "The head of the request is too large.")
        return _head_of(request, raw, rest)


async def read_head(stream: trio.abc.ReceiveStream, limits: DoorLimits) -> RequestHead:
    """Read until the first head is complete; bounded in bytes, in headers and in time.

    Raises:
        HeadRefused: for anything that is not a head of HTTP/1.x within the bounds.
    """
    reader = HeadReader(limits)
    with trio.move_on_after(limits.head_within_s):
        while True:
            data = await stream.receive_some(_READ_BYTES)
            if not data:
                raise HeadRefused(None, Drop.GONE, "The client left before its head was complete.")
            head = reader.feed(bytes(data))
            if head is not None:
                return head
    if not reader.begun:  # browsers open connections ahead of need; they expect no answer on them
        raise HeadRefused(None, Drop.SILENT, "Nothing was sent.")
    raise HeadRefused(408, Drop.SLOW_HEAD, "The request was not complete in time.")


def _refused(error: h11.RemoteProtocolError) -> HeadRefused:
    if error.error_status_hint == _TOO_LARGE:
        return HeadRefused(_TOO_LARGE, Drop.LARGE_HEAD, "The head of the request is too large.")
    return HeadRefused(400, Drop.BAD_HEAD, "This is not a request of HTTP/1.1.")


def _head_of(request: h11.Request, raw: bytes, rest: bytes) -> RequestHead:
    return RequestHead(
        method=request.method.decode("ascii"),
        target=request.target.decode("ascii"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers),
        http_version=request.http_version.decode("ascii"),
        raw=raw,
        rest=rest,
    )


def _tokens(values: list[str]) -> set[str]:
    return {token.strip().lower() for value in values for token in value.split(",")}
