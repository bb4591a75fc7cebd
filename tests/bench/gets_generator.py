"""A load generator: many clients at once on kept connections, each asking for one address again and again.

python -m tests.bench.gets_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import select
import socket
import time

from tests.bench.generator import Command, obey
from tests.bench.player import PATIENCE_S, Wrong
from tests.bench.wire import answer, request


class Client:
    """One request at a time. Every answer must be 200."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request("GET", path, None)
        self._data = b""

    def ask(self) -> None:
        """Send the request."""
        self.socket.sendall(self._request)

    def step(self) -> bool:
        """Read what has come; True when the answer is whole."""
        more = self.socket.recv(65536)
        if not more:
            raise Wrong("the server closed the connection")
        self._data += more
        found = answer(self._data)
        if found is None:
            return False
        status, body, size = found
        self._data = self._data[size:]
        if status != 200:
            raise Wrong(f"status {status}: {body[:200]!r}")
        return True


class Gets:
    """Answers `{"seconds"}`: how many answers came in that time, in all and a second."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._path: str = config["path"]
        self._clients: int = config["clients"]

    def __call__(self, command: Command) -> Command:
        clients = [Client(self._port, self._path) for _ in range(self._clients)]
        try:
            requests, in_time = ask_all(clients, command["seconds"])
        finally:
            for client in clients:
                client.socket.close()
        return {"requests": requests, "per_s": in_time / command["seconds"]}


def ask_all(clients: list[Client], seconds: float) -> tuple[int, int]:
    """All at once until the time is over; how many answers came, and how many of them in time."""
    by_number = {client.socket.fileno(): client for client in clients}
    ends, requests, in_time = time.monotonic() + seconds, 0, 0
    with select.epoll() as poll:
        for number, client in by_number.items():
            poll.register(number, select.EPOLLIN)
            client.ask()
        while by_number:
            ready = poll.poll(PATIENCE_S)
            if not ready:
                raise Wrong(f"{len(by_number)} clients wait for an answer in vain")
            for number, _ in ready:
                if not by_number[number].step():
                    continue
                requests += 1
                if time.monotonic() < ends:
                    in_time += 1
                    by_number[number].ask()
                else:
                    poll.unregister(number)
                    del by_number[number]
    return requests, in_time


if __name__ == "__main__":
    obey(Gets)
