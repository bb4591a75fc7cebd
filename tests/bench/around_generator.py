"""A load generator: signed-in players, each of whom watches its own surroundings and reads all that comes.

python -m tests.bench.around_generator     (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import json
from dataclasses import replace

from tests.bench import viewers_generator
from tests.bench.generator import Command, obey
from tests.bench.viewers_generator import UPGRADE, Viewers, allow_many_files
from tests.bench.wire import text_frame

_SUBSCRIBE = json.dumps({"event": "subscribe", "data": {"channel": "leaderboard.around_me"}}).encode()


class Around(Viewers):
    """As `Viewers`, one connection for each of the configuration's `players`; `whose` says whose arrivals are which."""

    def __init__(self, config: Command) -> None:
        super().__init__(config)
        self._dialect = replace(self._dialect, greeting=text_frame(_SUBSCRIBE))
        self._left = list(reversed(config["players"]))
        self._whose: dict[int, str] = {}

    def _open(self) -> None:
        player, known = self._left.pop(), set(self._sockets)
        first, _, headers = UPGRADE.partition("\r\n")
        signed_in = f"{first}\r\nAuthorization: Bearer {player['token']}\r\n{headers}"
        self._handshake = f"GET {self._dialect.path} {signed_in}".encode()
        super()._open()
        (number,) = set(self._sockets) - known
        self._whose[number] = player["user_id"]

    def _watch(self, seconds: float) -> Command:
        found = super()._watch(seconds)
        return {**found, "whose": [self._whose[number] for number in self._arrivals]}


if __name__ == "__main__":
    viewers_generator.SAMPLED = 100_000  # everybody
    allow_many_files()
    obey(Around)
