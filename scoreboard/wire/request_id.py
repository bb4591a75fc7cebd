"""The name of one request, on its answer and on every line of the log that belongs to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def chosen_or_fresh(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id that a proxy or client gave, if it is harmless in logs and headers; otherwise a random one."""
    for name, value in headers:
        if name.lower() == HEADER and _SANE.fullmatch(value):
            return value.decode("ascii")
    return secrets.token_hex(8)
