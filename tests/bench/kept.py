"""A kept connection of a load generator: one request at a time, and the body of each answer."""

from __future__ import annotations

import socket

from tests.bench.wire import answer

PATIENCE_S = 20.0


class Wrong(Exception):
    """An answer that must not be."""


def connect(port: int) -> socket.socket:
    """To this machine, without waiting for more to send."""
    connected = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def receive(connected: socket.socket) -> bytes:
    """What has come, at least a byte. Raises Wrong at the end of the connection, and OSError when nothing comes."""
    more = connected.recv(65536)
    if not more:
        raise Wrong("the server closed the connection")
    return more


class KeptConnection:
    """Requests one after the other. Every answer must be 200."""

    def __init__(self, port: int) -> None:
        self.socket = connect(port)
        self._data = b""

    def read(self) -> bytes | None:
        """Read what has come; the body of the answer when it is whole. Raises Wrong, and OSError when nothing comes."""
        self._data += receive(self.socket)
        found = answer(self._data)
        if found is None:
            return None
        status, body, size = found
        self._data = self._data[size:]
        if status != 200:
            raise Wrong(f"status {status}: {body[:300]!r}")
        return body
