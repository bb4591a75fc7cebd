"""What the keys of a server are, and how each is written down. ``scoreboard.security.keyfolder`` reads them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from scoreboard.security.errors import PrivateFileRefused

RSA_BITS = 2048
SECRET_BYTES = 32
#: The name of the key that a game's server has unless another one is meant.
GAME = "game"
#: The kind that wraps the keys of persons.
MASTER = "master"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key with its name: the thumbprint of RFC 7638, so that it follows from the key and never changes."""

    kid: str
    private: rsa.RSAPrivateKey = field(repr=False)

    @property
    def public(self) -> rsa.RSAPublicKey:
        """The half that verifies."""
        return self.private.public_key()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a server as they hold at one moment.

    Of `signing`, `action_keys` and `client_keys` the first one signs and all are believed. `rotated_actions` signed
    action tokens once, `rotated_signing` access tokens; nothing is believed for their sake, but what they signed is
    known for what it was. `game_keys` are secrets by the name of their key, `public_keys` raw Ed25519 keys; all are
    believed. Of `master_keys` the first wraps the keys of persons, and all unwrap.
    """

    signing: tuple[SigningKey, ...]
    action_keys: tuple[bytes, ...] = field(repr=False)
    refresh_key: bytes = field(repr=False)
    game_keys: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    client_keys: tuple[bytes, ...] = field(repr=False)
    public_keys: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    rotated_actions: tuple[bytes, ...] = field(default=(), repr=False)
    rotated_signing: tuple[SigningKey, ...] = ()
    master_keys: tuple[bytes, ...] = field(default=(), repr=False)


def new_rsa_pem() -> bytes:
    """A fresh RSA key as PKCS#8 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_secret_line() -> bytes:
    """A fresh secret as its file holds it: hexadecimal digits and a line break."""
    return secrets.token_bytes(SECRET_BYTES).hex().encode() + b"\n"


def public_jwk(key: SigningKey) -> dict[str, str]:
    """The public half as a JSON Web Key (RFC 7517)."""
    return {**_essence(key.public), "kid": key.kid, "use": "sig", "alg": "RS256"}


def parse_secret(content: bytes, named: str) -> bytes:
    """The secret that a file holds; `named` is the file.

    Raises:
        PrivateFileRefused: it holds none, or one that could be guessed.
    """
    try:
        secret = bytes.fromhex(content.decode("ascii"))
    except ValueError as error:
        raise PrivateFileRefused(f"The key file {named} does not hold a key in hexadecimal digits") from error
    if len(secret) < SECRET_BYTES:
        raise PrivateFileRefused(f"The key in {named} has {len(secret)} bytes; at least {SECRET_BYTES} are needed")
    return secret


def parse_rsa(pem: bytes, named: str) -> SigningKey:
    """The RSA key that a file holds; raises as `parse_secret`."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PrivateFileRefused(f"{named} does not hold an RSA private key in PEM without a password") from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < RSA_BITS:
        raise PrivateFileRefused(f"{named} must hold an RSA key of at least {RSA_BITS} bits")
    return SigningKey(_thumbprint(private.public_key()), private)


def parse_public(pem: bytes, named: str) -> bytes:
    """The 32 bytes of the Ed25519 public key that a file holds; raises as `parse_secret`."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PrivateFileRefused(f"{named} does not hold a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise PrivateFileRefused(f"{named} must hold an Ed25519 public key")
    return key.public_bytes_raw()


def _thumbprint(public: rsa.RSAPublicKey) -> str:
    canonical = json.dumps(_essence(public), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _essence(public: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {"e": _base64url_number(numbers.e), "kty": "RSA", "n": _base64url_number(numbers.n)}


def _base64url_number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
