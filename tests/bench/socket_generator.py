"""A load generator: many players at once on live sockets, in cycles of token and increment.

python -m tests.bench.socket_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

from typing import Any

from tests.bench.closed_loop import play
from tests.bench.generator import Command, obey
from tests.bench.socket_player import SocketPlayer
from tests.bench.statistics import spread_ms


class SocketCycles:
    """Answers `{"seconds", "at_once"}`: plays so long, each player with so many cycles in flight."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]

    def __call__(self, command: Command) -> Command:
        players = [SocketPlayer(self._port, account, command["at_once"]) for account in self._accounts]
        in_time = play(players, command["seconds"])
        for account, player in zip(self._accounts, players, strict=True):
            account["score"] = player.score
        return {
            "cycles": sum(player.cycles for player in players),
            "per_s": in_time / command["seconds"],
            "cycle_ms": spread_ms(each for player in players for each in player.cycle_ns),
            "scores": {player.user_id: player.score for player in players},
        }


if __name__ == "__main__":
    obey(SocketCycles)
