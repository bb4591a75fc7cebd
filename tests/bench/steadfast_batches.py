"""A sender of batches who sends whole batches again, and rows that have counted."""

from __future__ import annotations

import time
from typing import Any

from tests.bench.book import Book, Told
from tests.bench.kept import Wrong
from tests.bench.steadfast_rest import AGAIN, PAUSE_S, Asking

PATH = "/api/v1/scores/batch"
ROWS = 24


class BatchSender:
    """One batch after the other, with points of any players.

    The last row is one that stands before it in the batch, and the one in front of that has counted in an earlier one.
    """

    def __init__(self, port: int, token: str, name: str, players: list[str], book: Book) -> None:
        self._asking = Asking(port, token, "batches", book)
        self._asking.rng.seed(name)
        self._name = name
        self._players = players
        self._rows = 0
        self._known: dict[str, str] | None = None

    def play(self, until: float) -> None:
        """Until that moment (`time.monotonic`)."""
        while time.monotonic() < until:
            rows = [self._row() for _ in range(ROWS)]
            rows += [self._known or rows[0], rows[ROWS // 2]]
            fresh = {row["actionId"] for row in rows[:ROWS]}
            self._submit(rows, fresh)
            if self._asking.rng.random() < AGAIN:
                self._asking.book.sent_again()
                self._submit(rows, set())
            self._known = self._asking.rng.choice(rows)
        self._asking.close()

    def _row(self) -> dict[str, str]:
        self._rows += 1
        return {"userId": self._asking.rng.choice(self._players), "actionId": f"{self._name}-{self._rows}"}

    def _submit(self, rows: list[dict[str, str]], fresh: set[str]) -> None:
        """Until every row is told to count."""
        while True:
            answer, asked, _ = self._asking.ask(PATH, {"scores": rows})
            if asked > 1:
                fresh = set()
            if not self._unconfirmed(answer["data"]["results"]):
                break
            fresh = set()
            self._asking.book.sent_again()
            time.sleep(PAUSE_S)
        for row, told in zip(rows, answer["data"]["results"], strict=True):
            action = row["actionId"]
            if (action, row["userId"]) != (told["actionId"], told["userId"]):
                raise Wrong(f"{row} was answered {told}")
            told_once = Told(told["userId"], told["newScore"], told["previousRank"], told["newRank"])
            self._asking.book.write(action, told_once, repeated=told["repeated"], first=action in fresh)
            fresh.discard(action)

    def _unconfirmed(self, results: list[dict[str, Any]]) -> bool:
        codes = {result["error"]["code"] for result in results if not result["success"]}
        if codes - {"SERVICE_UNAVAILABLE"}:
            raise Wrong(f"rows were refused: {codes}")
        return bool(codes)
