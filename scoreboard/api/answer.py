"""An answer as plain data: made by a route, completed and sent by the exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]

JSON = (b"content-type", b"application/json")
#: Answers hold tokens and states of the moment: no cache may keep them unless a route says so.
NO_STORE = (b"cache-control", b"no-store")

_PLAIN_JSON: Headers = (JSON, NO_STORE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers. Names of headers are lower case; Content-Length is added when it is sent.

    `packed` gives the body as gzip, where that is kept or costs next to nothing.
    """

    status: int
    body: bytes
    headers: Headers
    packed: Callable[[], bytes] | None = None


def json_answer(value: Any, *, status: int = 200, headers: Headers = ()) -> Answer:
    """A value as JSON that no cache keeps."""
    return Answer(status, msgspec.json.encode(value), _PLAIN_JSON + headers)


def matches(if_none_match: str | None, etag: bytes) -> bool:
    """Whether the client's copy, named by its `If-None-Match`, is the one with this entity tag (weak comparison)."""
    if if_none_match is None:
        return False
    wanted = etag.decode("ascii").removeprefix("W/")
    told = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in told or wanted in told
