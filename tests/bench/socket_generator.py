"""A load generator: many players at once on live sockets, in cycles of token and increment.

python -m tests.bench.socket_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import select
import time
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.player import PATIENCE_S, Wrong
from tests.bench.socket_player import SocketPlayer
from tests.bench.statistics import curve, percentile


class SocketCycles:
    """Answers `{"seconds", "at_once"}`: plays so long, each player with so many cycles in flight."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]
        self._accounts: list[dict[str, Any]] = config["players"]

    def __call__(self, command: Command) -> Command:
        players = [SocketPlayer(self._port, account, command["at_once"]) for account in self._accounts]
        try:
            in_time = play(players, command["seconds"])
        finally:
            for player in players:
                player.socket.close()
        for account, player in zip(self._accounts, players, strict=True):
            account["score"] = player.score
        ordered = sorted(each / 1e6 for player in players for each in player.cycle_ns)
        return {
            "cycles": sum(player.cycles for player in players),
            "per_s": in_time / command["seconds"],
            "cycle_ms": {"median": percentile(ordered, 50), "p99": percentile(ordered, 99), "curve": curve(ordered)},
            "scores": {player.user_id: player.score for player in players},
        }


def play(players: list[SocketPlayer], seconds: float) -> int:
    """All at once until the time is over; how many cycles ended in time. The rest are brought to their end."""
    poll = select.epoll()
    by_number = {player.socket.fileno(): player for player in players}
    ends = time.monotonic() + seconds
    for number, player in by_number.items():
        poll.register(number, select.EPOLLIN)
        player.begin()
    in_time, playing = 0, len(players)
    while playing:
        ready = poll.poll(PATIENCE_S)
        if not ready:
            raise Wrong(f"{playing} players wait for an answer in vain")
        go_on = time.monotonic() < ends
        for number, _ in ready:
            player = by_number[number]
            ended = player.step(go_on=go_on)
            in_time += ended if go_on else 0
            if not player.playing:
                poll.unregister(number)
                playing -= 1
    poll.close()
    return in_time


if __name__ == "__main__":
    obey(SocketCycles)
