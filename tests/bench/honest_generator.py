"""A load generator: players who score evenly, and one who asks on a live socket whether it is there.

python -m tests.bench.honest_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import time
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.kept import Wrong, receive
from tests.bench.player import Player
from tests.bench.socket_player import signed_in
from tests.bench.statistics import spread_ms
from tests.bench.wire import CLOSE, PING, TEXT, frames, pong_frame, text_frame

_PING = text_frame(b'{"event":"ping"}')
_PONG = b'{"event":"pong"'


class Honest:
    """Answers `{"count", "every_s"}`: so many cycles, the players in turn, each followed by a ping on the live socket.

    `cycle_ms` are from the sending of a wish for a token to the answer to its increment, `ping_ms` from a ping to its
    pong; `scores` is what each player must have then.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]

    def __call__(self, command: Command) -> Command:
        players = [Player(self._port, account) for account in self._accounts]
        pinger, pings = Pinger(self._port, self._accounts[0]["token"]), list[int]()
        try:
            began = time.monotonic()
            for number in range(command["count"]):
                time.sleep(max(0.0, began + number * command["every_s"] - time.monotonic()))
                players[number % len(players)].play_one()
                pings.append(pinger.ping())
        finally:
            pinger.socket.close()
            for account, player in zip(self._accounts, players, strict=True):
                account["score"] = player.score
                player.socket.close()
        both = [(each.token_ns, each.increment_ns) for each in players]
        cycles = [
            token + increment
            for tokens, increments in both
            for token, increment in zip(tokens, increments, strict=True)
        ]
        return {
            "cycle_ms": spread_ms(cycles),
            "ping_ms": spread_ms(pings),
            "scores": {player.user_id: player.score for player in players},
        }


class Pinger:
    """A live connection, signed in."""

    def __init__(self, port: int, token: str) -> None:
        self.socket, self._data = signed_in(port, token)

    def ping(self) -> int:
        """How long the answer took, in nanoseconds. Raises Wrong, and OSError when it does not come."""
        began = time.monotonic_ns()
        self.socket.sendall(_PING)
        while not self._heard():
            self._data += receive(self.socket)
        return time.monotonic_ns() - began

    def _heard(self) -> bool:
        found, at = False, 0
        for opcode, start, at in frames(self._data):
            payload = self._data[start:at]
            if opcode == CLOSE:
                raise Wrong(f"the live socket was closed: {payload!r}")
            if opcode == PING:
                self.socket.sendall(pong_frame(payload))
            found = found or (opcode == TEXT and payload.startswith(_PONG))
        self._data = self._data[at:]
        return found


if __name__ == "__main__":
    obey(Honest)
