"""Proofs under keys of which only the public half is here: who takes this server cannot make one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_HEX_DIGITS = 128


class Ed25519Verifier:
    """Judges signatures of 128 lower-case hexadecimal digits.

    Args:
        keys: The public keys, of 32 bytes each, that stand under a name now.
        key_id: What a key is called.
    """

    def __init__(self, keys: Callable[[str], Sequence[bytes]], key_id: Callable[[bytes], str]) -> None:
        self._keys = keys
        self._key_id = key_id

    def __repr__(self) -> str:
        return "<Ed25519Verifier>"

    def __call__(self, name: str, text: str, signature: str) -> str | None:
        """The id of the key that signed the text, None if none did. Anything may stand in both texts."""
        if len(signature) != _HEX_DIGITS or signature != signature.lower():
            return None
        try:
            presented = bytes.fromhex(signature)
        except ValueError:
            return None
        signed = text.encode("utf-8", "replace")
        return next((self._key_id(key) for key in self._keys(name) if _made(key, signed, presented)), None)


def _made(key: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True
