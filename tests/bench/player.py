"""One player of a load generator: asks for an action token and spends it, on a kept connection."""

from __future__ import annotations

import time
from typing import Any

from tests.bench.kept import KeptConnection, Wrong
from tests.bench.wire import request

TOKEN_PATH, INCREMENT_PATH = "/api/actions/token", "/api/scores/increment"
_TOKEN, _SCORE = b'"actionToken":', b'"newScore":'


class Player:
    """One request at a time, and what came of it. Durations are nanoseconds of the monotonic clock.

    Requests are made beforehand but for the token's bytes, which are copied from one answer into the next request.
    Every answer must be 200 and every new score exactly one more than the last.

    Args:
        port: Of the server.
        account: `user_id`, `token` and the `score` so far.
        keys: What every Idempotency-Key begins with; None sends none.
    """

    def __init__(self, port: int, account: dict[str, Any], keys: str | None = None) -> None:
        self.user_id: str = account["user_id"]
        self.score: int = account["score"]
        self.cycles = 0
        self.playing = 0
        self.token_ns: list[int] = []
        self.increment_ns: list[int] = []
        self.sent_ns = 0
        self._connection = KeptConnection(port)
        self.socket = self._connection.socket
        self._keys = None if keys is None else f"{keys}-{self.user_id[:8]}"
        self._ask = request("POST", TOKEN_PATH, account["token"])
        head = request("POST", INCREMENT_PATH, account["token"]).partition(b"Content-Length")[0]
        self._head = head + b"Content-Type: application/json\r\n"
        self._spending = False

    def begin(self) -> None:
        """Ask for a token."""
        self.playing = 1
        self._spending = False
        self._send(self._ask)

    def step(self, *, go_on: bool) -> int:
        """Read what has come; 1 when the cycle has ended, and the next begins if `go_on`.

        Raises Wrong, and OSError when nothing comes.
        """
        body = self._connection.read()
        if body is None:
            return 0
        took_ns = time.monotonic_ns() - self.sent_ns
        if self._spending:
            self.increment_ns.append(took_ns)
            self._scored(body)
            self.playing = 0
            if go_on:
                self.begin()
            return 1
        self.token_ns.append(took_ns)
        self._spend(body)
        return 0

    def play_one(self) -> None:
        """A whole cycle."""
        self.begin()
        while self.playing:
            self.step(go_on=False)

    def _spend(self, body: bytes) -> None:
        at = body.index(_TOKEN) + len(_TOKEN)
        wish = b'{"actionToken":%b}' % body[at : body.index(b"}", at) + 1]
        key = f"Idempotency-Key: {self._keys}-{self.cycles}\r\n".encode() if self._keys else b""
        self._spending = True
        self._send(b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, key, len(wish), wish))

    def _scored(self, body: bytes) -> None:
        at = body.index(_SCORE) + len(_SCORE)
        score = int(body[at : at + 20].partition(b",")[0].rstrip(b"}"))
        if score != self.score + 1:
            raise Wrong(f"a score of {score} after {self.score}")
        self.score = score
        self.cycles += 1

    def _send(self, data: bytes) -> None:
        self.sent_ns = time.monotonic_ns()
        self.socket.sendall(data)
