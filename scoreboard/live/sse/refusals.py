"""What is answered in place of a stream: document B's envelope, and the end of the connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from scoreboard.wire.times import iso

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StreamRefusal:
    """A status with its code and sentence. `headers` are its own, beside those that every answer has."""

    status: int
    code: str
    message: str
    headers: Headers = ()
    retry_after_s: int | None = None

    def body(self, request_id: str, now_us: int) -> bytes:
        """As document B shows errors."""
        told: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.retry_after_s is not None:
            told["retryAfter"] = self.retry_after_s
        told |= {"timestamp": iso(now_us), "requestId": request_id}
        return msgspec.json.encode({"success": False, "error": told})

    def all_headers(self, body: bytes) -> Headers:
        """With what is said of the body."""
        wait = () if self.retry_after_s is None else (("retry-after", str(self.retry_after_s)),)
        return (("content-type", "application/json"), ("content-length", str(len(body))), *self.headers, *wait)


def unauthorized(code: str, message: str) -> StreamRefusal:
    """What proves who one is was not accepted."""
    return StreamRefusal(401, code, message, (("www-authenticate", "Bearer"),))


def head_of(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of an answer after which the connection closes."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")
