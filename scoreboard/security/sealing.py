"""Bytes that are kept where others may look: read by this server only, and not to be changed or moved. AES-256-GCM."""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def encrypt(key: bytes, content: bytes, name: bytes) -> bytes:
    """The content as it may be kept under that name. No two are alike."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, name)


def decrypt(key: bytes, sealed: bytes, name: bytes) -> bytes | None:
    """What was encrypted under that name with this key; None of anything else."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name)
    except (InvalidTag, ValueError):  # of other making, or too short for any
        return None


class Sealing:
    """Under a key made from one of the server's, for one `purpose`."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = hmac.digest(key, purpose.encode(), "sha256")

    def __repr__(self) -> str:
        return "<Sealing>"

    def seal(self, content: bytes, name: str) -> bytes:
        """The content as it may be kept under that name."""
        return encrypt(self._key, content, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes | None:
        """What was sealed under that name; None of anything else."""
        return decrypt(self._key, sealed, name.encode())
