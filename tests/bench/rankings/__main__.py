"""One candidate with so many players: `python -m tests.bench.rankings NAME SIZE` measures and prints JSON."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

import psutil

from actors.ports import UserId
from tests.bench.rankings.candidates import CANDIDATES, Candidate
from tests.bench.rankings.players import Players
from tests.bench.rankings.valkey import ValkeyBoard
from tests.bench.statistics import median

BATCH, BATCHES = 500, 20
PAGE_ROWS = 10
Asked = TypeVar("Asked")


class Meter:
    """Processor time of a candidate, wherever it is used."""

    def __init__(self, board: Candidate, players: Players) -> None:
        self._board, self._players = board, players

    def all(self) -> dict[str, float]:
        """Every figure. The garbage collector is off, as the server spares it the players."""
        gc.disable()
        board, players = self._board, self._players
        before = psutil.Process().memory_info().rss
        load_s = sum(self._used_s(board.load, page) for page in players.pages())
        load_s += self._used_s(lambda _: board.arrange(), None)
        memory = psutil.Process().memory_info().rss - before + board.memory()
        self._each_us(players.steps, board.apply)  # a warm-up
        return {
            "load_s": load_s,
            "memory_mb": memory / 1e6,
            "step_us": self._each_us(players.steps, board.apply),
            "jump_us": self._each_us(players.jumps, board.apply),
            "rank_us": self._each_us(players.some, self._ranks),
            "page_us": self._each_us(players.some, self._pages),
        }

    def _each_us(self, make: Callable[[int], Asked], use: Callable[[Asked], object]) -> float:
        """One of a batch, the median of the batches; each is made just before it is used, as a ledger does."""
        return median([self._used_s(use, make(BATCH)) / BATCH * 1e6 for _ in range(BATCHES)])

    def _used_s(self, use: Callable[[Asked], object], what: Asked) -> float:
        before = time.process_time() + self._board.processor_s()
        use(what)
        return time.process_time() + self._board.processor_s() - before

    def _ranks(self, players: list[UserId]) -> None:
        for user_id in players:
            self._board.rank(user_id)

    def _pages(self, players: list[UserId]) -> None:
        for number in range(len(players)):
            self._board.page(number * self._players.size // len(players), PAGE_ROWS)


def main(name: str, size: int) -> None:
    """Measure and print."""
    with ExitStack() as scope:
        board = CANDIDATES[name]()
        if isinstance(board, ValkeyBoard):
            scope.callback(board.close)
        print(json.dumps(Meter(board, Players(size)).all()))  # noqa: T201 - it is the answer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
