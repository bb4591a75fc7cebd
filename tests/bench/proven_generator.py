"""A load generator: players in cycles of document B's flow, as fast as the server answers.

python -m tests.bench.proven_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

from typing import Any

from tests.bench.closed_loop import play
from tests.bench.generator import Command, obey
from tests.bench.proven_player import ProvenPlayer
from tests.bench.statistics import spread_ms


class ProvenCycles:
    """Answers `{"seconds", "players"}`: so many of the players play so long."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]
        self._game_key = bytes.fromhex(config["game_key"])

    def __call__(self, command: Command) -> Command:
        accounts = self._accounts[: command["players"]]
        players = [ProvenPlayer(self._port, account, self._game_key) for account in accounts]
        in_time = play(players, command["seconds"])
        for account, player in zip(accounts, players, strict=True):
            account["score"] = player.score
        return {
            "cycles": sum(player.cycles for player in players),
            "per_s": in_time / command["seconds"],
            "cycle_ms": spread_ms(
                sum(both) for player in players for both in zip(player.complete_ns, player.update_ns, strict=True)
            ),
            "scores": {account["user_id"]: account["score"] for account in self._accounts},
        }


if __name__ == "__main__":
    obey(ProvenCycles)
