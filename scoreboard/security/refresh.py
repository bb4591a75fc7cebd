"""Refresh tokens: opaque, 256 random bits, known to the store only by their hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

PATTERN = "^[A-Za-z0-9_-]{43}$"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new() -> str:
    """The first token of a session: 32 random bytes as base64url without padding."""
    return _text(secrets.token_bytes(32))


def successor(token: str, key: bytes) -> str:
    """The token that comes after this one; the same each time, so that a repeated exchange is answered alike.

    Without the key nobody can compute it, not even who holds an older token of the family.
    """
    return _text(hmac.digest(key, _bytes(token), "sha256"))


def hashed(token: str) -> bytes:
    """What the store knows of it. A plain hash is enough, because there is nothing to guess."""
    return hashlib.sha256(_bytes(token)).digest()


def has_shape(token: str) -> bool:
    """Whether it could be one of ours at all."""
    return _SHAPE.fullmatch(token) is not None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    # Half a surrogate pair is no token of ours, and no reason to fail either.
    return token.encode(errors="surrogatepass")
