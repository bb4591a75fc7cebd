"""A load generator: many clients at once on kept connections, each asking for one address again and again.

python -m tests.bench.gets_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

from tests.bench.closed_loop import play
from tests.bench.generator import Command, obey
from tests.bench.kept import KeptConnection
from tests.bench.wire import request


class Client:
    """One request at a time: a cycle is a request and its answer."""

    def __init__(self, port: int, path: str, headers: str) -> None:
        self.requests = 0
        self.bytes = 0
        self.playing = 0
        self._connection = KeptConnection(port)
        self.socket = self._connection.socket
        self._request = request("GET", path, None, headers=headers)

    def begin(self) -> None:
        """Send the request."""
        self.playing = 1
        self.socket.sendall(self._request)

    def step(self, *, go_on: bool) -> int:
        """Read what has come; 1 when the answer is whole, and the next is asked for if `go_on`. Raises Wrong."""
        if (body := self._connection.read()) is None:
            return 0
        self.requests += 1
        self.bytes += len(body)
        self.playing = 0
        if go_on:
            self.begin()
        return 1


class Gets:
    """Answers `{"seconds"}`: how many answers came in that time, in all and a second, and the bytes of their bodies.

    `headers` of the configuration are lines of the head, each with its end.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._path: str = config["path"]
        self._clients: int = config["clients"]
        self._headers: str = config.get("headers", "")

    def __call__(self, command: Command) -> Command:
        clients = [Client(self._port, self._path, self._headers) for _ in range(self._clients)]
        in_time = play(clients, command["seconds"])
        requests = sum(client.requests for client in clients)
        received = sum(client.bytes for client in clients)
        return {"requests": requests, "per_s": in_time / command["seconds"], "bytes": received}


if __name__ == "__main__":
    obey(Gets)
