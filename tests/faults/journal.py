"""What clients did and were told: every operation with all of its answers, and every screen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Told(NamedTuple):
    """An answer that says that a score counts."""

    score: int
    previous_rank: int | None
    new_rank: int | None
    repeated: bool


@dataclass(slots=True)
class Operation:
    """One score that somebody wanted. Without `told` and `refused` nobody knows what became of it.

    `refused` is the code of an answer that says that it does not count. `key` is its idempotency key; a row of a batch,
    which has none, is named by what its action is called. `wish` is what is asked for, and `first_s` when it was so
    first, by a clock that is right.
    """

    user_id: str
    key: str
    way: str
    points: int = 1
    sent: int = 0
    told: list[Told] = field(default_factory=list)
    refused: str | None = None
    wish: object = field(default=None, repr=False)
    first_s: float = 0.0

    @property
    def is_unknown(self) -> bool:
        """Whether it was sent and never answered for good."""
        return bool(self.sent) and not self.told and self.refused is None


class Shown(NamedTuple):
    """One row of a screen."""

    rank: int
    user_id: str
    score: int


@dataclass(frozen=True, slots=True)
class Screen:
    """What a spectator saw at one moment; `connection` counts its connections."""

    spectator: str
    channel: str
    connection: int
    epoch: str
    version: int
    rows: tuple[Shown, ...]
    total_users: int


class Journal:
    """All of it, in memory; and each line at the moment in a file, for whoever has to explain what came of it."""

    def __init__(self, path: Path) -> None:
        self.operations: list[Operation] = []
        self.screens: list[Screen] = []
        self.odd: list[str] = []
        self.counts = {"sent again": 0, "connections lost": 0}
        self._file = path.open("a", encoding="utf-8")

    def note(self, event: str, **fields: object) -> None:
        """A line in the file."""
        said = {"at": round(time.time(), 3), "event": event, **fields}
        self._file.write(json.dumps(said, default=str) + "\n")

    def begin(self, user_id: str, key: str, way: str, points: int = 1) -> Operation:
        """Somebody wants a score."""
        self.operations.append(Operation(user_id, key, way, points))
        return self.operations[-1]

    def send(self, operation: Operation) -> None:
        """It goes out, perhaps again."""
        operation.sent += 1
        self.counts["sent again"] += operation.sent > 1
        self.note("sent", key=operation.key, user=operation.user_id, times=operation.sent)

    def tell(self, operation: Operation, told: Told) -> None:
        """It counts, says an answer."""
        operation.told.append(told)
        self.note("told", key=operation.key, user=operation.user_id, **told._asdict())

    def refuse(self, operation: Operation, code: str) -> None:
        """It does not count, says an answer."""
        operation.refused = code
        self.note("refused", key=operation.key, user=operation.user_id, code=code)

    def lose(self, who: str, why: object) -> None:
        """A connection, or an answer, was lost."""
        self.counts["connections lost"] += 1
        self.note("lost", who=who, why=str(why))

    def wonder(self, what: str) -> None:
        """Something that may not happen, whatever the rest looks like."""
        self.odd.append(what)
        self.note("odd", what=what)

    def see(self, screen: Screen) -> None:
        """A spectator's screen has changed."""
        self.screens.append(screen)
        rows = [(row.rank, row.user_id[:8], row.score) for row in screen.rows]
        where = {"who": screen.spectator, "channel": screen.channel, "epoch": screen.epoch, "version": screen.version}
        self.note("seen", **where, rows=rows)

    def forget_screens(self, last: Iterable[Screen]) -> None:
        """All but these have been looked at."""
        self.screens[:] = last

    def close(self) -> None:
        """The file is whole."""
        self._file.close()

    def flush(self) -> None:
        """What was noted can be read."""
        self._file.flush()
