"""A load generator: a few players who score in turn, slowly and evenly, so that every tick has something to show.

python -m tests.bench.trickle_generator     (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.player import Player
from tests.bench.socket_player import SocketPlayer
from tests.bench.statistics import spread_ms


class Trickle:
    """Answers two commands.

    `{"spread": gap}` lets the players' scores lie so far apart that scoring in turn never changes a rank.
    `{"count", "every_s"}` plays so many cycles; `sent` tells of each increment when it was sent, whose it was, and the
    score that it made, `increment_ms` how long those of REST took. With `socket` in the configuration all is said on
    live sockets, otherwise to REST.
    """

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]
        self._player: type[Player | SocketPlayer] = SocketPlayer if config.get("socket") else Player
        self._turn = 0

    def __call__(self, command: Command) -> Command:
        players = [self._player(self._port, account) for account in self._accounts]
        try:
            sent = self._spread(players, command["spread"]) if "spread" in command else self._play(players, command)
        finally:
            for account, player in zip(self._accounts, players, strict=True):
                account["score"] = player.score
                player.socket.close()
        took = [each for player in players if isinstance(player, Player) for each in player.increment_ns]
        return {"sent": sent, "increment_ms": spread_ms(took)}

    def _spread(self, players: Sequence[Player | SocketPlayer], gap: int) -> list[Any]:
        for place, player in enumerate(players):
            for _ in range(place * gap):
                player.play_one()
        return []

    def _play(self, players: Sequence[Player | SocketPlayer], command: Command) -> list[Any]:
        sent = []
        began = time.monotonic()
        for number in range(command["count"]):
            time.sleep(max(0.0, began + number * command["every_s"] - time.monotonic()))
            player = players[self._turn % len(players)]
            self._turn += 1
            player.play_one()
            sent.append((player.sent_ns, player.user_id, player.score))
        return sent


if __name__ == "__main__":
    obey(Trickle)
