"""Judges the opening handshake of a WebSocket, and answers it. Pure.

trio-websocket never sees it: what a client writes into its headers raises in several places of the libraries behind,
and they would keep their parser of requests for as long as the connection lives.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import msgspec
from wsproto.utilities import generate_accept_token

from scoreboard.live.commands import without_bearer
from scoreboard.live.query import TooManyFields, fields_of
from scoreboard.wire.browsers import GUARDED_TEXT

_KEY_BYTES = 16
_VERSION = "13"


AMBIGUOUS = "Say who you are once: by one Bearer token in Authorization, or by one ticket in the address."

#: Whether pages of this origin may connect, given the values of `Host`.
AllowOrigin = Callable[[str, Sequence[str]], bool]


class HandshakeHead(Protocol):
    """What is needed of the request; names of headers are lower-case."""

    @property
    def path(self) -> str:
        """The target up to its question mark."""
        ...

    @property
    def query(self) -> str:
        """The target behind it."""
        ...

    @property
    def http_version(self) -> str:
        """Like `1.1`."""
        ...

    @property
    def client(self) -> str | None:
        """The address of who sent it, if that is not the other end."""
        ...

    @property
    def raw(self) -> bytes:
        """The head as it was sent."""
        ...

    @property
    def rest(self) -> bytes:
        """What was read behind it."""
        ...

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        ...


@dataclass(frozen=True, slots=True)
class Handshake:
    """A handshake to go on with: the answer to it, and the token or the ticket that came with it."""

    answer: bytes
    token: str | None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """The answer in HTTP to a handshake that will not become a WebSocket."""

    status: int
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> bytes:
        """The whole response, in the error shape of document A; the connection closes behind it."""
        phrase = HTTPStatus(self.status).phrase
        body = msgspec.json.encode({"error": phrase, "message": self.message, "code": self.code})
        headers = (
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            *GUARDED_TEXT,
            *self.headers,
        )
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode("ascii") + body


def judge(head: HandshakeHead, path: str, allow_origin: AllowOrigin) -> Handshake | Rejection:
    """Whether this request may become a WebSocket at `path`; browsers' origins are asked for."""
    if head.path != path:
        return Rejection(404, "NOT_FOUND", "There is no live feed here.")
    if head.http_version != "1.1" or head.values("content-length") or head.values("transfer-encoding"):
        return Rejection(400, "INVALID_INPUT", "A WebSocket handshake is a request of HTTP/1.1 without a body.")
    if head.values("sec-websocket-version") != [_VERSION]:
        headers = (("sec-websocket-version", _VERSION),)
        return Rejection(426, "INVALID_INPUT", f"The version of the WebSocket protocol here is {_VERSION}.", headers)
    keys = head.values("sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        return Rejection(400, "INVALID_INPUT", "Sec-WebSocket-Key must be 16 bytes in Base64.")
    if not all(allow_origin(origin, head.values("host")) for origin in head.values("origin")):
        return Rejection(403, "FORBIDDEN", "Pages of this origin may not use the live feed.")
    try:
        tickets = fields_of(head.query).get("ticket", [])
    except TooManyFields as error:
        return Rejection(400, "INVALID_INPUT", str(error))
    proof = proof_in(head.values("authorization"), tickets)
    if proof is None:
        return unauthorized("UNAUTHORIZED", AMBIGUOUS)
    return Handshake(_answer(keys[0]), *proof)


def proof_in(authorizations: Sequence[str], tickets: Sequence[str]) -> tuple[str | None, str | None] | None:
    """The token or the ticket of who proves to be somebody; None if that is said wrongly, or twice."""
    if len(authorizations) + len(tickets) > 1:
        return None
    if not authorizations:
        return None, next(iter(tickets), None)
    token = without_bearer(authorizations[0])
    return None if not token or token == authorizations[0].strip() else (token, None)


def unauthorized(code: str, message: str) -> Rejection:
    """The answer to a token that is not accepted."""
    return Rejection(401, code, message, (("www-authenticate", "Bearer"),))


def _is_key(key: str) -> bool:
    try:
        return len(b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _answer(key: str) -> bytes:
    lines = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + generate_accept_token(key.encode("ascii")),
    )
    return b"\r\n".join([*lines, b"", b""])
