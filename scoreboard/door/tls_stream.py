"""TLS over a non-blocking socket, with the few methods by which the server's fast ways use a socket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import trio

A = TypeVar("A")
R = TypeVar("R")

_READ_BYTES = 16 * 1024 + 512  # a whole record, mostly
#: So much is encrypted in one turn, and kept for a client that reads slowly.
MOST_AT_ONCE = 64 * 1024
#: So much may come without a byte for who reads: several records, of which a handshake's ticket or new keys are one.
_MOST_IN_VAIN = 64 * 1024
#: Of what TLS answers by itself in the life of a connection, a few hundred times. Who asks and does not read fills us.
_MOST_ANSWERED = 16 * 1024


class TlsSocket:
    """Reads and writes like a non-blocking socket of the standard library; what goes over the wire is encrypted.

    What was encrypted has to go out, all of it and before all else, so `send` takes everything or nothing. But whoever
    gave it must learn that the socket is full. So when it is, `send` says that it took all but the last byte, and the
    next `send` must begin with that byte, as it would after any other short write.
    """

    __slots__ = (
        "_answered",
        "_in_vain",
        "_incoming",
        "_last_is_taken",
        "_object",
        "_outgoing",
        "_plain",
        "_raw",
        "_unsent",
    )

    def __init__(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        self._raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._plain = b""  # decrypted, and not read yet
        self._unsent = b""  # encrypted, and not taken by the socket yet
        self._last_is_taken = False
        self._in_vain = self._answered = 0  # bytes, of the client and of ours

    def __repr__(self) -> str:
        return f"<TlsSocket {self._object.version() or 'before its handshake'}, {len(self._unsent)} bytes unsent>"

    # --- as a socket ---

    def send(self, data: bytes | memoryview) -> int:
        """How many bytes were taken; see the class.

        Raises:
            BlockingIOError: none, the socket is full.
            OSError: the connection is broken.
        """
        self._flush()
        taken = 0
        if self._last_is_taken and data:
            self._last_is_taken, data, taken = False, data[1:], 1
        data = data[:MOST_AT_ONCE]
        written = 0
        while written < len(data):  # a record at a time
            written += self._object.write(data[written:])
        with suppress(BlockingIOError):
            self._flush()
        self._last_is_taken = bool(self._unsent)
        return taken + written - self._last_is_taken

    def recv(self, most: int) -> bytes:
        """What has come; nothing at the end.

        Raises:
            BlockingIOError: nothing yet. Perhaps something has come that is not for who reads; others have their turn.
            OSError: the connection is broken, or the client says nothing but what is for TLS.
        """
        if not self._plain:
            received = self._raw.recv(_READ_BYTES)
            if not received:
                return b""  # without a farewell: nothing here depends on one, lengths are told
            self._incoming.write(received)
            ended = self._decrypt()
            if not (ended or self.has_more):
                self._bear(len(received))
                raise BlockingIOError
            self._in_vain = 0
        data, self._plain = self._plain[:most], self._plain[most:]
        return data

    @property
    def has_more(self) -> bool:
        """Whether `recv` has something to give although the descriptor says nothing of it."""
        return bool(self._plain)

    def fileno(self) -> int:
        """The descriptor, to wait for; -1 once closed."""
        return self._raw.fileno()

    @property
    def family(self) -> int:
        """As a socket's."""
        return self._raw.family

    def getpeername(self) -> tuple[str, int]:
        """As a socket's."""
        name: tuple[str, int] = self._raw.getpeername()
        return name

    def getsockname(self) -> tuple[str, int]:
        """As a socket's."""
        name: tuple[str, int] = self._raw.getsockname()
        return name

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """As a socket's."""
        self._raw.setsockopt(level, option, value)

    def getsockopt(self, level: int, option: int, length: int) -> bytes:
        """As a socket's."""
        return self._raw.getsockopt(level, option, length)

    def shutdown(self, how: int) -> None:
        """Say goodbye as TLS has it, as far as the socket takes it now, then as a socket does."""
        with suppress(ssl.SSLError):
            self._object.unwrap()
        with suppress(BlockingIOError):
            self._flush()
        self._raw.shutdown(how)

    def close(self) -> None:
        """Close the socket, and wake who waits for it."""
        if self._raw.fileno() >= 0:
            trio.lowlevel.notify_closing(self._raw)
            self._raw.close()

    # --- parts ---

    async def handshake(self) -> None:
        """Agree with the client.

        Raises:
            OSError: it is gone, or (ssl.SSLError) wants what is not offered; then it has been told.
        """
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush_all()
                await self._feed()
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # the alert that says why
                raise
            else:
                await self._flush_all()
                self._decrypt()  # a request that came in the same piece
                return

    async def _feed(self) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._raw)
            try:
                received = self._raw.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            if not received:
                raise ConnectionResetError("the client left in the middle of the handshake")
            self._incoming.write(received)
            return

    async def _flush_all(self) -> None:
        while True:
            try:
                self._flush()
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._raw)
            else:
                return

    def _decrypt(self) -> bool:
        """Decrypt all whole records; True at the end that the client has told."""
        pieces = [self._plain]
        ended = False
        try:
            while piece := self._object.read(_READ_BYTES):
                pieces.append(piece)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        self._plain = b"".join(pieces)
        if self._outgoing.pending:  # the client asked for new keys, and TLS answers by itself
            self._answered += self._outgoing.pending
            if self._answered > _MOST_ANSWERED:
                raise ConnectionResetError("the client asks for new keys again and again")
            with suppress(BlockingIOError):
                self._flush()
        return ended

    def _bear(self, more: int) -> None:
        self._in_vain += more
        if self._in_vain > _MOST_IN_VAIN:
            raise ConnectionResetError("what the client sends has nothing in it")

    def _flush(self) -> None:
        """Give the socket what is encrypted; raises BlockingIOError if something of it is left."""
        if self._outgoing.pending:
            self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._raw.send(self._unsent) :]


class TlsStream(trio.abc.HalfCloseableStream):
    """A connection whose handshake is over, as far as a `trio.SocketStream` is used here."""

    def __init__(self, tls: TlsSocket) -> None:
        self.socket = tls

    def __repr__(self) -> str:
        return f"<TlsStream over {self.socket!r}>"

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """As a socket's."""
        self.socket.setsockopt(level, option, value)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Raises BrokenResourceError or ClosedResourceError."""
        rest = memoryview(bytes(data))
        await trio.lowlevel.checkpoint()
        while rest:
            try:
                rest = rest[self._call(self.socket.send, rest) :]
            except BlockingIOError:
                await self.wait_send_all_might_not_block()

    async def wait_send_all_might_not_block(self) -> None:
        """Until the socket can take something."""
        self._require_open()
        await trio.lowlevel.wait_writable(self.socket)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Raises BrokenResourceError or ClosedResourceError."""
        await trio.lowlevel.checkpoint()
        while True:
            try:
                received: bytes = self._call(self.socket.recv, max_bytes or _READ_BYTES)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self.socket)
            else:
                return received

    async def send_eof(self) -> None:
        """Say that no more will come."""
        await trio.lowlevel.checkpoint()
        self._call(self.socket.shutdown, socket.SHUT_WR)

    async def aclose(self) -> None:
        """Close the socket."""
        self.socket.close()
        await trio.lowlevel.checkpoint()

    def _call(self, call: Callable[[A], R], argument: A) -> R:
        """A call on the socket, with its errors as a stream's; BlockingIOError stays what it is."""
        self._require_open()
        try:
            return call(argument)
        except BlockingIOError:
            raise
        except OSError as error:
            raise trio.BrokenResourceError(f"the connection is lost: {error}") from error

    def _require_open(self) -> None:
        if self.socket.fileno() < 0:
            raise trio.ClosedResourceError("the socket is closed")
