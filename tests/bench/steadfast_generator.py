"""A load generator: senders who score in one of the three ways whatever happens, and write down what they are told.

python -m tests.bench.steadfast_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tests.bench.book import Book
from tests.bench.generator import Command, obey
from tests.bench.steadfast_batches import BatchSender
from tests.bench.steadfast_rest import RestPlayer
from tests.bench.steadfast_socket import SteadfastSocket

SENDERS = 4


class Sender(Protocol):
    """One thread of it."""

    def play(self, until: float) -> None:
        """Score until that moment (`time.monotonic`); every action is acknowledged at the end. Raises Wrong."""


class Steadfast:
    """Answers `{"seconds"}`: plays so long; see `Book.summary`.

    The configuration has the `way`, the `players`, and the `token` of the service that sends batches.
    """

    def __init__(self, config: Command) -> None:
        port, players, way = config["port"], config["players"], config["way"]
        self._book = Book(len(players), ranks_again=way != "batches")
        self._senders: list[Sender]
        if way == "batches":
            ids = [player["user_id"] for player in players]
            names = [f"sender{number}" for number in range(SENDERS)]
            self._senders = [BatchSender(port, config["token"], name, ids, self._book) for name in names]
        else:
            make = RestPlayer if way == "rest" else SteadfastSocket
            self._senders = [make(port, player, self._book) for player in players]

    def __call__(self, command: Command) -> Command:
        until = time.monotonic() + command["seconds"]
        with ThreadPoolExecutor(len(self._senders)) as pool:
            list(pool.map(lambda sender: sender.play(until), self._senders))
        return self._book.summary()


if __name__ == "__main__":
    obey(Steadfast)
