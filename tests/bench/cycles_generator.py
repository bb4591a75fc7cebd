"""A load generator: many players at once, each in cycles of token and increment as fast as the server answers.

python -m tests.bench.cycles_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

from typing import Any

from tests.bench.closed_loop import play
from tests.bench.generator import Command, obey
from tests.bench.player import Player
from tests.bench.statistics import spread_ms


class Cycles:
    """Answers `{"seconds", "keys"}`: plays so long; `keys` begins every Idempotency-Key, null for none."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]

    def __call__(self, command: Command) -> Command:
        players = [Player(self._port, account, command["keys"]) for account in self._accounts]
        in_time = play(players, command["seconds"])
        for account, player in zip(self._accounts, players, strict=True):
            account["score"] = player.score
        return {
            "cycles": sum(player.cycles for player in players),
            "per_s": in_time / command["seconds"],
            "token_ms": spread_ms(each for player in players for each in player.token_ns),
            "increment_ms": spread_ms(each for player in players for each in player.increment_ns),
            "scores": {player.user_id: player.score for player in players},
        }


if __name__ == "__main__":
    obey(Cycles)
