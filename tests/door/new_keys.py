"""A client of TLS 1.3 that asks for new keys as often as it likes, which no library lets one do."""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_KEY_UPDATE, _HANDSHAKE, _DATA, _OUTER = 24, 22, 23, b"\x17\x03\x03"
_CIPHERS: dict[str, tuple[type[AESGCM | ChaCha20Poly1305], int, SHA256 | SHA384]] = {
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, SHA384()),
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, SHA256()),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, SHA256()),
}


class NewKeys:
    """Records that follow a handshake in which the client has said nothing since.

    Args:
        client: The connection, made by a context with this log of its secrets.
        secrets: The log.
    """

    def __init__(self, client: ssl.SSLSocket, secrets: Path) -> None:
        chosen = client.cipher()
        assert chosen is not None
        self._cipher, self._size, self._hash = _CIPHERS[chosen[0]]
        lines = (line.split() for line in secrets.read_text().splitlines())
        self._secret = next(bytes.fromhex(line[2]) for line in lines if line[0] == "CLIENT_TRAFFIC_SECRET_0")
        self._raw = socket.socket(fileno=client.detach())

    def ask(self, times: int, *, answered: bool = True) -> None:
        """Take new keys so many times, and want the other side to do so, too. Raises OSError."""
        self._raw.sendall(b"".join(self._record(answered=answered) for _ in range(times)))

    def say(self, data: bytes) -> None:
        """Once, with the keys that hold now."""
        self._raw.sendall(self._encrypted(data, _DATA))

    def until_end(self) -> None:
        """Read, and understand nothing, until the other side hangs up; then hang up."""
        while self._raw.recv(65_536):
            pass
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._raw.close()

    def _record(self, *, answered: bool) -> bytes:
        record = self._encrypted(struct.pack("!B3sB", _KEY_UPDATE, b"\0\0\1", answered), _HANDSHAKE)
        self._secret = self._expanded(b"traffic upd", self._hash.digest_size)
        return record

    def _encrypted(self, data: bytes, kind: int) -> bytes:
        """The first record with these keys."""
        key, nonce = self._expanded(b"key", self._size), self._expanded(b"iv", 12)
        head = _OUTER + struct.pack("!H", len(data) + 1 + 16)
        return head + self._cipher(key).encrypt(nonce, data + bytes([kind]), head)

    def _expanded(self, label: bytes, size: int) -> bytes:
        full = b"tls13 " + label
        info = struct.pack("!HB", size, len(full)) + full + b"\0"
        return HKDFExpand(self._hash, size, info).derive(self._secret)
