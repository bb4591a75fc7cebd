"""A game on the live socket of a real server."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

from tests.live.described import hold
from tests.live.wire import handshake, text
from tests.served import ServedScoreboard


class SocketGame:
    """One signed-in connection; blocking, with an end to its patience."""

    def __init__(self, server: ServedScoreboard, access_token: str | None, path: str = "/ws/leaderboard") -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        if isinstance(server.verify, ssl.SSLContext):
            self.socket = server.verify.wrap_socket(self.socket, server_hostname="localhost")
        server.guests.callback(self.drop)
        headers = {} if access_token is None else {"authorization": f"Bearer {access_token}"}
        self.socket.sendall(handshake(path, **headers))
        self._data, self._path = b"", path
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def say(self, event: str, name: int | str | None = None, **data: Any) -> None:
        """Send a command."""
        self.socket.sendall(command(event, name, **data))

    def ask(self, event: str, name: int | str | None = None, **data: Any) -> dict[str, Any]:
        """Send a command and read what comes next."""
        self.say(event, name, **data)
        return self.message()

    def token(self) -> dict[str, Any]:
        """A fresh action token."""
        self.say("action.token", "token")
        while (answer := self.message())["event"].startswith("leaderboard"):
            pass  # of a path on which a board comes unasked
        token: dict[str, Any] = answer["data"]["actionToken"]
        return token

    def increment(self, token: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Present a token; the whole answer."""
        keyed = {} if key is None else {"idempotencyKey": key}
        return self.ask("score.increment", "increment", actionToken=token, **keyed)

    def message(self) -> dict[str, Any]:
        """The next text message."""
        while True:
            if len(self._data) >= 2:
                start = 4 if self._data[1] == 126 else 2
                size = int.from_bytes(self._data[2:4], "big") if start == 4 else self._data[1]
                if len(self._data) >= start + size:
                    payload, self._data = self._data[start : start + size], self._data[start + size :]
                    found: dict[str, Any] = json.loads(payload)
                    hold(self._path, found)
                    return found
            self._more()

    def close_code(self) -> int:
        """The code of the close frame that comes next."""
        while len(self._data) < 4:
            self._more()
        assert self._data[0] == 0x88, self._data
        return int.from_bytes(self._data[2:4], "big")

    def drop(self) -> None:
        """Gone without a word."""
        self.socket.close()

    def _more(self) -> None:
        more = self.socket.recv(65_536)
        if not more:
            raise ConnectionError(f"the server hung up after {self._data!r}")
        self._data += more


def command(event: str, name: int | str | None = None, **data: Any) -> bytes:
    """A command as a frame."""
    named = {} if name is None else {"id": name}
    return text(json.dumps({"event": event, **named, "data": data}))
