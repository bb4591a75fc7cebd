"""Keeps secrets out of logs: by the name of a field, and by the shape of a text. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"
DEEPEST = 6

# A field whose name has one of these words holds a secret. `token_hash`, `key_count` and the like are not secrets.
_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|authorization|cookie|signature|credential|key|jwt|proof)s?$"
)
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
# In free text: a JWT, a bearer header, the password of a URL.
_SECRET_TEXT = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]*\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+(?=@)"), rf"\1{HIDDEN}"),
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog that replaces what must not be written, however deep it lies."""
    return {name: HIDDEN if is_secret(name) else _clean(value, 0) for name, value in event.items()}


@lru_cache(maxsize=1024)  # names stand in the code, so there are few
def is_secret(name: str) -> bool:
    """Whether a field of that name holds a secret; `accessToken`, `X-Api-Key` and `refresh_token` alike."""
    return _SECRET_NAME.search(_BOUNDARY.sub("_", name).lower()) is not None


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has neither NaN nor infinity
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if depth >= DEEPEST:
        return value if value is None or isinstance(value, int | float) else f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if is_secret(str(name)) else _clean(inner, depth + 1) for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner, depth + 1) for inner in value]
    return value


def is_suspicious(text: str) -> bool:
    """Whether it may hold what `scrub` hides: almost no text does, and this takes a tenth of one search for all."""
    small = text.lower()
    return "eyj" in small or "://" in small or "bearer" in small or "basic" in small


def scrub(text: str) -> str:
    """The text without anything that looks like a token, a bearer header or the password of a URL."""
    if is_suspicious(text):
        for pattern, replacement in _SECRET_TEXT:
            text = pattern.sub(replacement, text)
    return text
