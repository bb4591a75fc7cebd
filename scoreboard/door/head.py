"""The head of a request: the first of a connection read within bounds, any judged by what it asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator
from dataclasses import dataclass
from enum import Enum

import trio

from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop
from scoreboard.door.pace import no_pace
from scoreboard.door.parser import HeadError, HeadParser, ParsedHead
from scoreboard.door.rounds import no_turn

_READ_BYTES = 8 * 1024
_HTTP2_PREFACE = b"PRI "


class HeadRefused(Exception):
    """The client sent no head that may be served. `status` is what to answer; None: not worth an answer.

    `target` is what it asks for, as far as that was understood.
    """

    def __init__(self, status: int | None, why: Drop, sentence: str, target: bytes = b"") -> None:
        super().__init__(sentence)
        self.status = status
        self.why = why
        self.target = target


class Kind(Enum):
    """Who serves a connection."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The first request of a connection as text, or a later one that is not for who had those before.

    `target` is the raw request target, `path` and `query` its two halves, not decoded. Header names are lower-case;
    names and values are Latin-1 text, in the order sent. `raw` are the bytes of the head, `rest` what was read behind
    it; a handler that parses for itself must be fed both. `client` is who sent it through a proxy of ours, None if none
    of them stands between. `peer` is the other end, where another worker has it and passes everything on.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    http_version: str
    raw: bytes
    rest: bytes
    client: str | None = None
    peer: str | None = None

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

    def fields(self) -> Iterator[tuple[bytes, bytes]]:
        """The headers as bytes."""
        return ((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers)

    def kind(self, streams: Container[str] = ()) -> Kind:
        """WEBSOCKET if the request asks to become one in the form that RFC 6455 gives, STREAM at these paths."""
        if self.path in streams:
            return Kind.STREAM
        asks = "websocket" in _tokens(self.values("upgrade")) and "upgrade" in _tokens(self.values("connection"))
        return Kind.WEBSOCKET if asks and self.method == "GET" else Kind.HTTP


class HeadReader:
    """Takes the bytes of a client as they come; synchronous, no socket."""

    def __init__(self, limits: DoorLimits) -> None:
        self._parser = HeadParser(limits)
        self._first = b""

    @property
    def begun(self) -> bool:
        """Whether anything came at all."""
        return bool(self._first)

    @property
    def target(self) -> bytes:
        """What it asks for, as far as that has come."""
        return self._parser.target()

    def feed(self, data: bytes) -> RequestHead | None:
        """One more piece; returns the head when it is complete.

        Raises:
            HeadRefused: this is not going to be a head that may be served.
        """
        if len(self._first) < len(_HTTP2_PREFACE):
            self._first += data[: len(_HTTP2_PREFACE)]
        if self._first.startswith(_HTTP2_PREFACE):
            raise HeadRefused(505, Drop.HTTP2, "This port speaks HTTP/1.1 only.")
        self._parser.feed(data)
        try:
            head = self._parser.next_head()
        except HeadError as error:
            raise HeadRefused(error.status, error.drop, str(error), error.target) from error
        return None if head is None else as_text(head, self._parser.take())


async def read_head(
    stream: trio.abc.ReceiveStream,
    limits: DoorLimits,
    turn: Callable[[], Awaitable[None]] = no_turn,
    pace: Callable[[], Awaitable[None]] = no_pace,
    within_s: float | None = None,
) -> RequestHead:
    """Read until the first head is complete; bounded in bytes, in headers and in time (`limits`, or `within_s`).

    When something has come, `turn` is waited for before it is looked at, and `pace` before each further piece is.

    Raises:
        HeadRefused: for anything that is not a head of HTTP/1.x within the bounds.
    """
    reader = HeadReader(limits)
    with trio.move_on_after(limits.head_within_s if within_s is None else within_s):
        while True:
            data = await stream.receive_some(_READ_BYTES)
            if not data:
                raise HeadRefused(None, Drop.GONE, "The client left before its head was complete.")
            if not reader.begun:
                await turn()
            head = reader.feed(bytes(data))
            if head is not None:
                return head
            await pace()
    if not reader.begun:  # browsers open connections ahead of need; they expect no answer on them
        raise HeadRefused(None, Drop.SILENT, "Nothing was sent.")
    raise HeadRefused(408, Drop.SLOW_HEAD, "The request was not complete in time.", reader.target)


def as_text(head: ParsedHead, rest: bytes) -> RequestHead:
    """The same as text, with what was read behind it."""
    return RequestHead(
        method=head.method.decode("ascii"),
        target=head.target.decode("ascii"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.fields),
        http_version=head.version.decode("ascii"),
        raw=head.raw,
        rest=rest,
    )


def _tokens(values: list[str]) -> set[str]:
    return {token.strip().lower() for value in values for token in value.split(",")}
