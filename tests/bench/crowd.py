"""Many clients of the live feed in one process, each a state machine: they come, watch, stop reading, come back."""

from __future__ import annotations

import errno
import heapq
import json
import math
import os
import random
import select
import socket
import time
from dataclasses import dataclass, field
from itertools import count

from tests.bench.boards import Boards, Piece, Place
from tests.bench.wire import pong_frame, text_frame

#: Clients live at several addresses: one has about 28,000 ports, and a closed connection keeps its port for a minute.
ADDRESSES = 16
_BIND_WITHOUT_PORT = 24  # IP_BIND_ADDRESS_NO_PORT: the port is found when it connects, unique with the other end
_ABSENT = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE}
_STOPPER_BYTES, _STOPPER_SEGMENT = 4096, 1000  # so that little fills the way to a client that does not read
_SUBSCRIBE = text_frame(json.dumps({"event": "subscribe", "data": {"channel": "leaderboard.top10"}}).encode())
_NOISE = text_frame(json.dumps({"event": "ping", "data": {"noise": "x" * 15_000}}).encode()) * 20


@dataclass(slots=True, eq=False)
class Client:
    """One client. `since` is when it wanted to come, or lost its connection; `came_s` how long its board then took.

    Pauses and further attempts are in that. A `small` one has little room for what it has not read.
    """

    number: int
    small: bool = False
    since: float = 0.0
    socket: socket.socket | None = None
    state: str = "away"
    data: bytes = b""
    unsent: bytes = b""
    place: Place | None = None
    came_s: float = math.inf
    arrivals: list[tuple[int, int]] | None = None


@dataclass(slots=True)
class Crowd:
    """Any number of clients; `run` serves them.

    A client that loses its connection, or gets none, comes back after a pause at random of at most `jitter_s`, as
    often as it must. A client that cannot apply a difference subscribes again; that is counted in `gaps`.
    """

    port: int
    jitter_s: float = 1.0
    token: str | None = None
    boards: Boards = field(default_factory=Boards)
    clients: list[Client] = field(default_factory=list)
    watching: int = 0
    lost: int = 0
    refused: int = 0
    gaps: int = 0
    deliveries: int = 0
    bytes: int = 0
    _rng: random.Random = field(default_factory=lambda: random.Random(7))
    _poll: select.epoll = field(default_factory=select.epoll)
    _here: dict[int, Client] = field(default_factory=dict)
    _due: list[tuple[float, int, Client]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def expect(self, due: float, *, small: bool = False) -> Client:
        """A new client that comes at that moment."""
        client = Client(len(self.clients), small, since=due)
        self.clients.append(client)
        self._come_at(due, client)
        return client

    def cut(self) -> None:
        """Close all connections at once; all come back."""
        for client in list(self._here.values()):
            self._lose(client)

    def leave(self, clients: list[Client]) -> None:
        """These close their connections and do not come back."""
        for client in clients:
            self._close(client)
            client.state = "gone"

    def stop_reading(self, client: Client) -> None:
        """Read no more, and say so much that answers fill the way back."""
        assert client.socket is not None
        self._poll.unregister(client.socket.fileno())
        client.state = "stopped"
        try:
            client.unsent = _NOISE[client.socket.send(_NOISE) :]
        except BlockingIOError:
            client.unsent = _NOISE

    def read_again(self, client: Client) -> None:
        """As before; what was not said for want of room is said first."""
        assert client.socket is not None
        client.state = "watching"
        self._poll.register(client.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if client.unsent else 0))

    def run(self, until: float) -> None:
        """Serve what comes until that moment."""
        while (now := time.monotonic()) < until:
            while self._due and self._due[0][0] <= now:
                self._come(heapq.heappop(self._due)[2])
            next_s = min(until, self._due[0][0] if self._due else until)
            for number, events in self._poll.poll(max(0.0, next_s - time.monotonic())):
                client = self._here.get(number)
                if client is not None:
                    self._serve(client, events)

    # --- one client ---

    def _come_at(self, due: float, client: Client) -> None:
        client.state, client.came_s = "away", math.inf
        heapq.heappush(self._due, (due, next(self._order), client))

    def _come(self, client: Client) -> None:
        if client.state != "away":
            return
        client.socket = connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection.setsockopt(socket.IPPROTO_IP, _BIND_WITHOUT_PORT, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if client.small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _STOPPER_BYTES)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _STOPPER_SEGMENT)
        connection.bind((f"127.0.0.{2 + client.number % ADDRESSES}", 0))
        connection.connect_ex(("127.0.0.1", self.port))
        client.state, client.data, client.place = "connecting", b"", None
        self._here[connection.fileno()] = client
        self._poll.register(connection.fileno(), select.EPOLLOUT)

    def _serve(self, client: Client, events: int) -> None:
        try:
            if client.state == "connecting":
                self._greet(client)
            elif events & select.EPOLLOUT:
                self._finish(client)
            else:
                self._read(client)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            self._lose(client)

    def _greet(self, client: Client) -> None:
        assert client.socket is not None
        error = client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        client.socket.send(handshake(self.token))
        client.state = "shaking"
        self._poll.modify(client.socket.fileno(), select.EPOLLIN)

    def _finish(self, client: Client) -> None:
        assert client.socket is not None
        client.unsent = client.unsent[client.socket.send(client.unsent) :]
        if not client.unsent:
            self._poll.modify(client.socket.fileno(), select.EPOLLIN)

    def _read(self, client: Client) -> None:
        assert client.socket is not None
        data = os.read(client.socket.fileno(), 65536)
        if not data:
            self._lose(client)
            return
        if client.data:
            data = client.data + data
        if client.state == "shaking":
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                client.data = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.refused += 1
                self._lose(client)
                return
            client.socket.send(_SUBSCRIBE)
            client.state = "subscribing"
        piece, client.data = self.boards.piece(data)
        self._note(client, piece)

    def _note(self, client: Client, piece: Piece) -> None:
        assert client.socket is not None
        piece.count += 1
        self.bytes += piece.bytes
        self.deliveries += len(piece.steps)
        for step in piece.steps:
            if step.came_from is None or client.place == (step.epoch, step.came_from):
                client.place = (step.epoch, step.to)
            elif client.place is None or client.place[0] != step.epoch or step.to > client.place[1]:
                self.gaps += 1
                client.socket.send(_SUBSCRIBE)
        if piece.steps and client.state == "subscribing":
            client.state, client.came_s = "watching", time.monotonic() - client.since
            self.watching += 1
        if piece.steps and client.arrivals is not None:
            client.arrivals.append((time.monotonic_ns(), piece.number))
        if piece.pings:
            client.socket.send(pong_frame(b"") * piece.pings)
        if piece.closes:
            self._lose(client)

    def _lose(self, client: Client) -> None:
        now = time.monotonic()
        if client.state in {"watching", "stopped"}:
            self.lost += 1
            client.since = now
        self._close(client)
        self._come_at(now + self._rng.uniform(0, self.jitter_s), client)

    def _close(self, client: Client) -> None:
        if client.socket is not None:
            self.watching -= client.state in {"watching", "stopped"}
            self._here.pop(client.socket.fileno(), None)
            client.socket.close()  # which takes it out of the poll too
            client.socket = None


def handshake(token: str | None) -> bytes:
    """What opens the feed."""
    who = "" if token is None else f"Authorization: Bearer {token}\r\n"
    return (
        f"GET /ws/leaderboard HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{who}"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
