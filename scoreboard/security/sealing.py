"""Bytes that are kept where others may look: read by this server only, and not to be changed or moved."""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Sealing:
    """AES-256-GCM under a key made from one of the server's, for one `purpose`."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._cipher = AESGCM(hmac.digest(key, purpose.encode(), "sha256"))

    def __repr__(self) -> str:
        return "<Sealing>"

    def seal(self, content: bytes, name: str) -> bytes:
        """The content as it may be kept under that name."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes | None:
        """What was sealed under that name; None of anything else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):  # of other making, or too short for any
            return None
