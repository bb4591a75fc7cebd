"""A load generator: players who ask for an action token and spend it, again and again, each on a kept connection.

    python -m tests.bench.cycles_generator      (spoken to by `tests.bench.generator`)

Requests are made beforehand but for the token's bytes, which are copied from one answer into the next request. Every
answer must be 200 and every new score exactly one more than the last.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.statistics import curve, percentile
from tests.bench.wire import answer, request

TOKEN_PATH, INCREMENT_PATH = "/api/actions/token", "/api/scores/increment"
_TOKEN, _SCORE = b'"actionToken":', b'"newScore":'
GRACE_S = 20.0


class Wrong(Exception):
    """An answer that must not be."""


class Player:
    """One player on one connection: one request at a time, and what came of it."""

    def __init__(self, port: int, account: dict[str, Any]) -> None:
        self.user_id: str = account["user_id"]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=GRACE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask = request("POST", TOKEN_PATH, account["token"])
        head = request("POST", INCREMENT_PATH, account["token"]).partition(b"Content-Length")[0]
        self._head = head + b"Content-Type: application/json\r\n"
        self._data = b""
        self._sent_at = 0.0
        self.score: int = account["score"]
        self.cycles = 0
        self.key_prefix: str | None = None
        self.token_s: list[float] = []
        self.increment_s: list[float] = []
        self.spending = False
        self.sent_ns = 0

    def begin(self) -> None:
        """Ask for a token."""
        self.spending = False
        self._send(self._ask)

    def step(self) -> bool:
        """Read; True when a cycle has ended. Raises Wrong."""
        self._data += self.socket.recv(65536)
        found = answer(self._data)
        if found is None:
            if not self._data:
                raise Wrong("the server closed the connection")
            return False
        now = time.monotonic()
        status, body, size = found
        self._data = self._data[size:]
        if status != 200:
            raise Wrong(f"status {status}: {body[:200]!r}")
        if self.spending:
            self.increment_s.append(now - self._sent_at)
            self._scored(body)
            return True
        self.token_s.append(now - self._sent_at)
        self._spend(body)
        return False

    def _spend(self, body: bytes) -> None:
        at = body.index(_TOKEN) + len(_TOKEN)
        wish = b'{"actionToken":%b}' % body[at : body.index(b"}", at) + 1]
        key = f"Idempotency-Key: {self.key_prefix}-{self.cycles}\r\n".encode() if self.key_prefix else b""
        self.spending = True
        self._send(b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, key, len(wish), wish))

    def _scored(self, body: bytes) -> None:
        at = body.index(_SCORE) + len(_SCORE)
        score = int(body[at : at + 20].partition(b",")[0].rstrip(b"}"))
        if score != self.score + 1:
            raise Wrong(f"a score of {score} after {self.score}")
        self.score = score
        self.cycles += 1

    def _send(self, data: bytes) -> None:
        self._sent_at = time.monotonic()
        self.sent_ns = time.monotonic_ns()
        self.socket.sendall(data)


class Cycles:
    """Answers the command `{"seconds", "keys"}`: plays so long; `keys` begins every Idempotency-Key, null for none."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]

    def __call__(self, command: Command) -> Command:
        players = [Player(self._port, account) for account in self._accounts]
        for player in players:
            player.key_prefix = f"{command['keys']}-{player.user_id[:8]}" if command["keys"] else None
        try:
            elapsed_s, in_time = self._play(players, command["seconds"])
        finally:
            for player in players:
                player.socket.close()
        for account, player in zip(self._accounts, players, strict=True):
            account["score"] = player.score
        return self._result(players, elapsed_s, in_time)

    def _play(self, players: list[Player], seconds: float) -> tuple[float, int]:
        """All at once until the time is over; cycles that have begun are brought to their end but not counted."""
        poll = select.epoll()
        by_number = {player.socket.fileno(): player for player in players}
        began = time.monotonic()
        for number, player in by_number.items():
            poll.register(number, select.EPOLLIN)
            player.begin()
        ends, in_time, playing = began + seconds, 0, len(players)
        while playing:
            ready = poll.poll(GRACE_S)
            if not ready:
                raise Wrong(f"{playing} players wait for an answer in vain")
            for number, _ in ready:
                if by_number[number].step():
                    if time.monotonic() < ends:
                        in_time += 1
                        by_number[number].begin()
                    else:
                        poll.unregister(number)
                        playing -= 1
        poll.close()
        return seconds, in_time

    def _result(self, players: list[Player], elapsed_s: float, in_time: int) -> Command:
        token = sorted(each * 1000 for player in players for each in player.token_s)
        increment = sorted(each * 1000 for player in players for each in player.increment_s)
        return {
            "cycles": sum(player.cycles for player in players),
            "per_s": in_time / elapsed_s,
            "token_ms": {"median": percentile(token, 50), "p99": percentile(token, 99), "curve": curve(token)},
            "increment_ms": {
                "median": percentile(increment, 50),
                "p99": percentile(increment, 99),
                "curve": curve(increment),
            },
            "scores": {player.user_id: player.score for player in players},
        }


if __name__ == "__main__":
    obey(Cycles)
