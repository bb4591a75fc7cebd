"""TLS at the door: what is offered, the files it rests on, and the handshake."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from scoreboard.door.observer import Drop
from scoreboard.door.rounds import no_turn
from scoreboard.door.tls_stream import TlsSocket, TlsStream
from scoreboard.door.validity import Validity

_HANDSHAKE_RECORD = 0x16
_PLAIN_HTTP = "This port speaks TLS: the address begins with https:// or wss://."


class TlsRefused(Exception):
    """There was no handshake; the sentence says why. With a `status` the client can be told, in the clear."""

    def __init__(self, why: Drop, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.why = why
        self.status = status


class TlsFilesError(Exception):
    """The certificate or its key cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificate with those that vouch for it, and its private key, both as PEM."""

    certificate: Path
    private_key: Path

    def changed_at(self) -> tuple[int, int]:
        """When they were last written, in nanoseconds. Raises OSError. Blocks."""
        return self.certificate.stat().st_mtime_ns, self.private_key.stat().st_mtime_ns


class Tls:
    """Shakes hands with the clients of one door: TLS 1.2 and 1.3, HTTP/1.1 and nothing else within.

    Args:
        files: Read now, and again by `refresh`. Blocks.

    Raises:
        TlsFilesError: they cannot be used.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._context = _context()
        self._read_at = self._load()
        self._validity = Validity.of(files.certificate)

    def __repr__(self) -> str:
        return f"<Tls with {self._files.certificate}>"

    def refresh(self) -> bool:
        """Whether the files have changed; then who comes from now on sees the new certificate. Blocks.

        Raises:
            TlsFilesError: they cannot be used; the old one stays in use.
        """
        try:
            if self._files.changed_at() == self._read_at:
                return False
        except OSError as error:
            raise TlsFilesError(f"{error.filename}: {error.strerror}") from error
        self._read_at = self._load()
        self._validity = Validity.of(self._files.certificate)
        return True

    def trouble(self, now_s: float) -> str | None:
        """A sentence for the operator, if clients refuse the certificate now or soon; seconds since the epoch."""
        trouble = self._validity.trouble(now_s)
        return None if trouble is None else f"{self._files.certificate}: {trouble}"

    def _load(self) -> tuple[int, int]:
        files = self._files
        try:
            changed_at = files.changed_at()
            if files.private_key.stat().st_mode & 0o077:
                sentence = f"Others may read the private key {files.private_key}; chmod 600 {files.private_key}"
                raise TlsFilesError(sentence)
            _context().load_cert_chain(files.certificate, files.private_key, password=_no_password)  # a trial
            self._context.load_cert_chain(files.certificate, files.private_key, password=_no_password)
        except ssl.SSLError as error:
            raise TlsFilesError(
                f"{files.certificate} and {files.private_key} are no certificate with its key, in PEM and without a "
                f"password: {error.reason or error}"
            ) from error
        except OSError as error:
            raise TlsFilesError(f"{error.filename or files.certificate}: {error.strerror}") from error
        return changed_at

    async def shake_hands(
        self, stream: trio.SocketStream, within_s: float, turn: Callable[[], Awaitable[None]] = no_turn
    ) -> TlsStream:
        """The connection, from now on through TLS. The stream's socket is the new one's.

        When a client has begun, `turn` is waited for: its first message is what costs most.

        Raises:
            TlsRefused: there will be none. The socket is closed, unless there is a status.
        """
        with trio.move_on_after(within_s):
            if await _first_byte(stream) not in (_HANDSHAKE_RECORD, None):
                raise TlsRefused(Drop.NO_TLS, _PLAIN_HTTP, 400)
            await turn()
            tls = TlsSocket(socket.socket(fileno=stream.socket.detach()), self._context)
            try:
                await tls.handshake()
            except BaseException as error:
                tls.close()
                if isinstance(error, OSError):
                    raise TlsRefused(Drop.NO_TLS, str(error)) from error
                raise
            return TlsStream(tls)
        stream.socket.close()
        raise TlsRefused(Drop.SILENT, "The handshake took too long.")


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # Forward secrecy and authenticated encryption; those of TLS 1.3 are all of that kind.
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """In place of OpenSSL's own question at the terminal."""
    return ""


async def _first_byte(stream: trio.SocketStream) -> int | None:
    """What the client begins with, left unread; None if it left."""
    try:
        peeked = await stream.socket.recv(1, socket.MSG_PEEK)
    except OSError:
        return None
    return peeked[0] if peeked else None
