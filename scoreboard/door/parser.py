"""Bytes of a client to heads of requests: strict, bounded, synchronous; no socket.

The request line is read here, the header fields by llhttp (through httptools), none of whose leniencies is switched on.
What it lets pass and RFC 9112 leaves to the server is judged here, and always against the client: where two readings of
a request are possible, a proxy in front may have chosen the other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httptools

from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop

Field = tuple[bytes, bytes]

_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9]\.[0-9])\r\n")
#: What the beginning of a request line may look like. So much of it is enough to tell at once what is none.
_BEGINNING = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+(?: [!-~]*(?: [HTP/0-9.]*\r?)?)?")
_LOOKED_AT = 64
#: Of a request that is refused: enough of its target to know whose words it expects.
_TARGET = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]{1,32} (/[!-~]{0,255})")
#: A whole address in place of a path, as clients of a proxy send it.
_ADDRESS = re.compile(rb"(?i:https?)://([-.:\[\]%!$&'()*+,;=~0-9A-Z_a-z]+)(/[!-~]*|\?[!-~]*|)")
_IS_ADDRESS = re.compile(rb"(?i:https?):")
#: llhttp sees the fields behind this line, so that no method and no target has a meaning for it.
_ANY_LINE = b"GET / HTTP/1.1\r\n"
_VERSIONS = frozenset({b"1.0", b"1.1"})
#: Fields that say how a request is to be read, or who should read it.
_TELLING = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"})
_MOST_DIGITS = 20
_TOO_SLOW, _TOO_LARGE = 408, 431


class HeadError(Exception):
    """This is no head that may be served; `status` is what to answer, `drop` the reason to count.

    `target` is what it asks for, as far as that was understood.
    """

    def __init__(self, status: int, sentence: str, target: bytes = b"") -> None:
        super().__init__(sentence)
        self.status = status
        self.target = target

    @property
    def drop(self) -> Drop:
        """Why the connection ends."""
        return {_TOO_LARGE: Drop.LARGE_HEAD, _TOO_SLOW: Drop.SLOW_HEAD}.get(self.status, Drop.BAD_HEAD)


@dataclass(frozen=True, slots=True)
class ParsedHead:
    """One head, in bytes. Names of fields are lower-case, values without blanks round them, in the order sent.

    `target` begins with a slash where a whole address was sent, too; `raw` has it as it came.
    `length` is that of the body, None for one in chunks. After the `last` request of a connection nothing more is read.
    `wants_invitation`: the body comes only after 100 (Continue).
    """

    method: bytes
    target: bytes
    version: bytes
    fields: list[Field]
    length: int | None
    last: bool
    wants_invitation: bool
    upgrade: bytes
    raw: bytes


class HeadParser:
    """The bytes that a client has sent and nobody has taken yet; heads are taken from their beginning."""

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._bytes = bytearray()
        self._early: httptools.HttpRequestParser | None = None
        self._looked_at = 0

    def __repr__(self) -> str:
        return f"<HeadParser, {len(self._bytes)} bytes>"

    def __len__(self) -> int:
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        """One more piece."""
        self._bytes += data

    def take(self, most: int | None = None) -> bytes:
        """The first `most` bytes, or all there are."""
        taken = bytes(self._bytes[:most])
        del self._bytes[: len(taken)]
        return taken

    def put_back(self, data: bytes) -> None:
        """What was taken last, to be taken again."""
        self._bytes[:0] = data

    def next_head(self) -> ParsedHead | None:
        """The next head, or None while it is not whole.

        Raises:
            HeadError: this is not going to be one; the connection cannot go on.
        """
        raw = b""
        try:
            raw = self._whole()
            return parse(raw, self._limits.head_headers) if raw else None
        except HeadError as error:
            error.target = target_in(raw or self._bytes)
            raise

    def target(self) -> bytes:
        """What the head that is not whole yet asks for, as far as it has come."""
        return target_in(self._bytes)

    def _whole(self) -> bytes:
        """The bytes of the next head, none while it is not whole; raises HeadError."""
        end = self._bytes.find(_END, max(0, self._looked_at - len(_END) + 1))
        size = end + len(_END) if end >= 0 else len(self._bytes) + 1
        if size > self._limits.head_bytes:
            raise HeadError(431, "The head of the request is too large.")
        if end < 0:
            self._look_at_beginning()
            return b""
        self._early, self._looked_at = None, 0
        return self.take(size)

    def _look_at_beginning(self) -> None:
        """Refuse early what cannot become a head: whoever sends it does not speak HTTP and may wait for ever."""
        if self._early is None:
            line_end = self._bytes.find(b"\r\n")
            if line_end < 0:
                beginning = bytes(self._bytes[:_LOOKED_AT])
                if beginning and not _BEGINNING.fullmatch(beginning):
                    raise _no_request()
                return
            _request_line(bytes(self._bytes[: line_end + 2]))
            self._early = httptools.HttpRequestParser(_Fields())
            _feed(self._early, _ANY_LINE)
            self._looked_at = line_end + 2
        _feed(self._early, bytes(self._bytes[self._looked_at :]))
        self._looked_at = len(self._bytes)


def target_in(data: bytes | bytearray) -> bytes:
    """The beginning of the target, of what begins like a request."""
    match = _TARGET.match(data)
    return b"" if match is None else match[1]


def parse(raw: bytes, most_fields: int) -> ParsedHead:
    """A whole head, its empty line included; raises HeadError."""
    method, target, version = _request_line(raw)
    found = _Fields()
    _feed(httptools.HttpRequestParser(found), _ANY_LINE + raw[raw.index(b"\r\n") + 2 :])
    if not found.complete:
        raise _no_request()
    if len(found.fields) > most_fields:
        raise HeadError(431, "The head of the request is too large.")
    telling: dict[bytes, list[bytes]] = {}
    for name, value in found.fields:
        if name in _TELLING:
            telling.setdefault(name, []).append(value)
    if _IS_ADDRESS.match(target) and method != b"CONNECT":
        target = _path_of(target, version, telling, found.fields)
    _judge_host(telling.get(b"host", []), version)
    length = _body_length(telling, version)
    return ParsedHead(
        method=method,
        target=target,
        version=version,
        fields=found.fields,
        length=length,
        last=version == b"1.0" or b"close" in _tokens(telling.get(b"connection", [])),
        wants_invitation=length != 0 and version != b"1.0" and b"100-continue" in _tokens(telling.get(b"expect", [])),
        upgrade=b",".join(telling.get(b"upgrade", ())),
        raw=raw,
    )


class _Fields:
    """What llhttp calls back with the fields of one head. It knows no parser: that would be a cycle to be collected."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True


def _feed(parser: httptools.HttpRequestParser, data: bytes) -> None:
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return  # an offer in the fields, which nobody is bound to accept
    except httptools.HttpParserError as error:
        raise _no_request() from error


def _no_request() -> HeadError:
    return HeadError(400, "This is not a request of HTTP/1.1.")


def _request_line(raw: bytes) -> tuple[bytes, bytes, bytes]:
    match = _REQUEST_LINE.match(raw)
    if match is None:
        raise _no_request()
    method, target, version = match.groups()
    if version not in _VERSIONS:
        raise HeadError(505, "This port speaks HTTP/1.1 only.")
    return method, target, version


def _path_of(address: bytes, version: bytes, telling: dict[bytes, list[bytes]], fields: list[Field]) -> bytes:
    """What is asked for at that address, whose host has to be that of the field, or takes its place in HTTP/1.0.

    RFC 9112 would have a server look at the address alone, but who stands in front may have looked at the field.
    """
    match = _ADDRESS.fullmatch(address)
    hosts = telling.setdefault(b"host", [])
    if match is None or any(host.lower() != match[1].lower() for host in hosts):
        raise HeadError(400, "The address that a request is for names the same host as its field Host.")
    if not hosts and version == b"1.0":
        hosts.append(match[1])
        fields.append((b"host", match[1]))
    return match[2] if match[2].startswith(b"/") else b"/" + match[2]


def _judge_host(hosts: list[bytes], version: bytes) -> None:
    if len(hosts) > 1 or (not hosts and version != b"1.0"):
        raise HeadError(400, "A request names one host.")


def _body_length(telling: dict[bytes, list[bytes]], version: bytes) -> int | None:
    """How long the body is, None if it comes in chunks. One field of one reading, or it is refused."""
    lengths, codings = telling.get(b"content-length", []), telling.get(b"transfer-encoding", [])
    if not codings:
        if not lengths:
            return 0
        if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > _MOST_DIGITS:
            raise HeadError(400, "A body has one length.")
        return int(lengths[0])
    if lengths or version == b"1.0":
        raise HeadError(400, "A body has one length.")  # two readings of it are how requests are smuggled past a proxy
    if len(codings) > 1 or codings[0].lower() != b"chunked":
        raise HeadError(501, "A body comes with Content-Length or Transfer-Encoding: chunked, in no other way.")
    return None


def _tokens(values: list[bytes]) -> set[bytes]:
    return {token.strip().lower() for value in values for token in value.split(b",")} if values else set()
