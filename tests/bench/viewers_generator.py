"""A load generator: many anonymous clients of the live feed in one process, which read all and count every frame.

    python -m tests.bench.viewers_generator     (spoken to by `tests.bench.generator`)

All clients get the same bytes, so each distinct piece is parsed once and counted by a look into a dictionary.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import time
from dataclasses import asdict, dataclass

from tests.bench.dialects import DIALECTS
from tests.bench.generator import Command, obey
from tests.bench.wire import CLOSE, PING, TEXT, frames, pong_frame

BOARD_EVENTS = ("leaderboard.update", "leaderboard.diff")
SAMPLED = 100
PATIENCE_S = 60.0
UPGRADE = (
    "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Lost(Exception):
    """The server closed a connection, or did not open it."""


@dataclass(slots=True)
class Piece:
    """Whole frames that came at once, the same for many clients; `count` of them have got it."""

    number: int
    scores: dict[str, int]
    bytes: int = 0
    boards: int = 0
    others: int = 0
    pings: int = 0
    asked: int = 0
    version: int = 0
    count: int = 0


class Viewers:
    """Answers three commands.

    `{"connect": count}` opens and subscribes so many, and returns when each has its first board. `{"watch_s": seconds}`
    reads and tells what came, with the last board as it was sent. `{"leave": true}` closes all. The configuration's
    `dialect` is one of `tests.bench.dialects`.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._dialect = DIALECTS[config.get("dialect", "scoreboard")]
        self._handshake = f"GET {self._dialect.path} {UPGRADE}".encode()
        self._last = b""
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._versions: dict[int, int] = {}
        self._rests: dict[int, bytes] = {}
        self._pieces: dict[bytes, Piece] = {}
        self._arrivals: dict[int, list[tuple[int, int]]] = {}

    def __call__(self, command: Command) -> Command:
        if "connect" in command:
            return self._connect(command["connect"])
        if "leave" in command:
            return self._leave()
        return self._watch(command["watch_s"])

    def _connect(self, count: int) -> Command:
        began = time.monotonic()
        for _ in range(count):
            self._open()
        opened = time.monotonic()
        while len(self._versions) < count:
            if time.monotonic() > opened + PATIENCE_S:
                raise Lost(f"{count - len(self._versions)} of {count} clients got no board")
            self._read(0.5)
        return {"connect_s": opened - began, "settle_s": time.monotonic() - opened}

    def _open(self) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(self._handshake)
        data = b""
        while b"\r\n\r\n" not in data or self._dialect.welcome not in data:
            more = client.recv(4096)
            if not more:
                raise Lost(f"no handshake: {data[:200]!r}")
            data += more
        if not data.startswith(b"HTTP/1.1 101 "):
            raise Lost(f"no handshake: {data[:200]!r}")
        client.sendall(self._dialect.greeting)
        client.setblocking(False)
        self._sockets[client.fileno()] = client
        self._poll.register(client.fileno(), select.EPOLLIN)
        # What came with the head: nothing else may come after it.
        self._note(client.fileno(), self._parse(client.fileno(), data.partition(b"\r\n\r\n")[2]))

    def _watch(self, seconds: float) -> Command:
        self._pieces.clear()
        numbers = list(self._sockets)
        step = max(1, len(numbers) // SAMPLED)
        self._arrivals = {number: [] for number in numbers[::step]}
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._read(left)
        newest = max(self._versions.values(), default=0)
        return {
            "pieces": [asdict(piece) for piece in self._pieces.values()],
            "arrivals": list(self._arrivals.values()),
            "last": self._last.decode(),
            "behind": sum(version != newest for version in self._versions.values()),
        }

    def _leave(self) -> Command:
        for client in self._sockets.values():
            client.close()  # which takes it out of the poll too
        for kept in (self._sockets, self._versions, self._rests, self._pieces, self._arrivals):
            kept.clear()
        return {}

    def _read(self, timeout_s: float) -> None:
        """Read what has come to anybody within the time. A frame that is not whole waits for its rest."""
        for number, _ in self._poll.poll(timeout_s):
            data = os.read(number, 65536)
            if not data:
                raise Lost("the server closed a connection")
            if rest := self._rests.get(number):
                data = rest + data
            piece = self._pieces.get(data)
            if piece is None:
                piece = self._parse(number, data)
            else:
                self._rests[number] = b""
            self._note(number, piece)

    def _note(self, number: int, piece: Piece) -> None:
        piece.count += 1
        if piece.boards:
            self._versions[number] = piece.version
            if number in self._arrivals:
                self._arrivals[number].append((time.monotonic_ns(), piece.number))
        if piece.pings:
            os.write(number, pong_frame(b"") * piece.pings)
        if piece.asked:
            os.write(number, self._dialect.alive * piece.asked)

    def _parse(self, number: int, data: bytes) -> Piece:
        """The whole frames of `data`, remembered when nothing is left over."""
        piece = Piece(len(self._pieces), {})
        for opcode, start, end in frames(data):
            piece.bytes = end
            if opcode == TEXT:
                self._judge(piece, data[start:end])
            elif opcode == PING:
                piece.pings += 1
            elif opcode == CLOSE:
                raise Lost(f"closed with {data[start:end]!r}")
        self._rests[number] = data[piece.bytes :]
        self._pieces[data[: piece.bytes]] = piece = self._pieces.get(data[: piece.bytes], piece)
        return piece

    def _judge(self, piece: Piece, payload: bytes) -> None:
        if payload == self._dialect.keep_alive:
            piece.asked += 1
            return
        event = self._dialect.event(payload)
        if event is None or event[0] not in BOARD_EVENTS:
            piece.others += 1
            return
        board = event[1]
        self._last = payload
        piece.boards += 1
        piece.version = board["version"] if "version" in board else board["to"]
        piece.scores |= {row["userId"]: row["score"] for row in board.get("changes", board.get("leaderboard", ()))}


def allow_many_files() -> None:
    """As many as the system lets us: a socket for each client."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    allow_many_files()
    obey(Viewers)
