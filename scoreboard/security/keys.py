"""The key ring of a server: made on first start under its data directory, read once, then only in memory.

`jwt-<n>.key` signs access tokens, `action-<n>.key` action tokens; the highest number signs, the others are still
believed, so a key is rotated by adding a file and restarting. `game-<n>.key` are shared with the game's servers, which
prove with them what players did; all are believed. `refresh.key` derives refresh tokens, `client.key` the secrets with
which clients sign their requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused

RSA_BITS = 2048
SECRET_BYTES = 32


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
    """All secrets of a server. Of each kind the first one signs and all are believed."""

    signing: tuple[SigningKey, ...]
    action_keys: tuple[bytes, ...] = field(repr=False)
    refresh_key: bytes = field(repr=False)
    game_keys: tuple[bytes, ...] = field(repr=False)
    client_key: bytes = field(repr=False)


def load_keys(data_dir: Path) -> KeyRing:
    """Read the key ring under `data_dir`/keys, after making whatever is missing there. Blocks; call it at start.

    Raises:
        PrivateFileRefused: a file is readable by others, cannot be read, or holds no usable key.
    """
    folder = data_dir / "keys"
    try:
        keyfiles.ready_folder(folder)
    except OSError as error:
        raise PrivateFileRefused(f"The folder {folder} cannot be made: {error.strerror}") from error
    _make_missing(folder)
    return KeyRing(
        signing=tuple(_read_rsa(path) for path in keyfiles.numbered(folder, "jwt")),
        action_keys=tuple(_read_secret(path) for path in keyfiles.numbered(folder, "action")),
        refresh_key=_read_secret(folder / "refresh.key"),
        game_keys=tuple(_read_secret(path) for path in keyfiles.numbered(folder, "game")),
        client_key=_read_secret(folder / "client.key"),
    )


def generate_ring() -> KeyRing:
    """A fresh ring that lies nowhere on disk, for tests and trials."""
    signing = (_parse_rsa(new_rsa_pem(), "a fresh key"),)
    return KeyRing(signing, (_new_secret(),), _new_secret(), (_new_secret(),), _new_secret())


def new_rsa_pem() -> bytes:
    """A fresh RSA key as PKCS#8 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_jwk(key: SigningKey) -> dict[str, str]:
    """The public half as a JSON Web Key (RFC 7517)."""
    return {**_essence(key.public), "kid": key.kid, "use": "sig", "alg": "RS256"}


def _make_missing(folder: Path) -> None:
    if not keyfiles.numbered(folder, "jwt"):
        keyfiles.create_once(folder / "jwt-1.key", new_rsa_pem)
    if not keyfiles.numbered(folder, "action"):
        keyfiles.create_once(folder / "action-1.key", _new_secret_line)
    if not keyfiles.numbered(folder, "game"):
        keyfiles.create_once(folder / "game-1.key", _new_secret_line)
    for name in ("refresh.key", "client.key"):
        keyfiles.create_once(folder / name, _new_secret_line)


def _new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def _new_secret_line() -> bytes:
    return _new_secret().hex().encode() + b"\n"


def _read_secret(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(keyfiles.read_private(path).decode("ascii"))
    except ValueError as error:
        raise PrivateFileRefused(f"The key file {path} does not hold a key in hexadecimal digits") from error
    if len(secret) < SECRET_BYTES:
        raise PrivateFileRefused(f"The key in {path} has {len(secret)} bytes; at least {SECRET_BYTES} are needed")
    return secret


def _read_rsa(path: Path) -> SigningKey:
    return _parse_rsa(keyfiles.read_private(path), str(path))


def _parse_rsa(pem: bytes, named: str) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PrivateFileRefused(f"{named} does not hold an RSA private key in PEM without a password") from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < RSA_BITS:
        raise PrivateFileRefused(f"{named} must hold an RSA key of at least {RSA_BITS} bits")
    return SigningKey(_thumbprint(private.public_key()), private)


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
