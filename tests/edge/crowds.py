"""Many connections of one machine that do as little as they can."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from tests.served import ServedScoreboard

_WITHIN_S = 30.0


class Crowd:
    """Open connections, each blocking, with an end to its patience."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._scope = ExitStack()
        self.lines: list[socket.socket] = []

    def join(self, count: int, said: bytes = b"", address: str = "127.0.0.1") -> None:
        """So many more, from an address of this machine, each of which says this and no more."""
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", self._port), _WITHIN_S, (address, 0))
            self._scope.callback(line.close)
            self.lines.append(line)
            with suppress(ConnectionError):  # it was turned away
                line.sendall(said)

    def answers(self) -> list[bytes]:
        """What each has been told when the server has ended it."""
        return [_to_the_end(line) for line in self.lines]

    def told(self, beginning: bytes) -> int:
        """How many have been told something that begins so by now."""
        return sum(_begins(line, beginning) for line in self.lines)

    def leave(self, *, reset: bool = False) -> None:
        """All at once, in good order or not."""
        for line in self.lines:
            if reset:
                with suppress(OSError):
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._scope.close()
        self.lines.clear()


@contextmanager
def crowd_at(server: ServedScoreboard) -> Iterator[Crowd]:
    """Nobody yet; all have left at the end."""
    crowd = Crowd(server.port)
    try:
        yield crowd
    finally:
        crowd.leave(reset=True)


def _begins(line: socket.socket, beginning: bytes) -> bool:
    try:
        return line.recv(len(beginning), socket.MSG_DONTWAIT | socket.MSG_PEEK) == beginning
    except (BlockingIOError, ConnectionError):
        return False


def _to_the_end(line: socket.socket) -> bytes:
    told = b""
    with suppress(ConnectionError):
        while data := line.recv(65_536):
            told += data
    return told
