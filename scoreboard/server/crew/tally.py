"""How many connections each worker has, in memory that all of them and the parent share."""

from __future__ import annotations

import mmap
from pathlib import Path

NAME = "connections"
_PLACES = 64
_WIDTH = 8
_ABSENT = -1


class Tally:
    """One number for each worker, written by that worker, read by the others. Aligned words: no lock is needed."""

    def __init__(self, sockets: Path) -> None:
        with (sockets / NAME).open("r+b") as file:
            self._counts = memoryview(mmap.mmap(file.fileno(), _PLACES * _WIDTH)).cast("q")

    def __repr__(self) -> str:
        return f"<Tally {[count for count in self._counts if count != _ABSENT]}>"

    @classmethod
    def made_in(cls, sockets: Path) -> Tally:
        """A new one, of nobody yet."""
        (sockets / NAME).write_bytes(_ABSENT.to_bytes(_WIDTH, "little", signed=True) * _PLACES)
        return cls(sockets)

    def tell(self, number: int, connections: int) -> None:
        """That worker has so many now."""
        self._counts[number - 1] = connections

    def forget(self, number: int) -> None:
        """That worker is gone."""
        self._counts[number - 1] = _ABSENT

    def least_of_others(self, number: int) -> int | None:
        """What the one of the others has that has the fewest; None if there is nobody else."""
        others = (count for place, count in enumerate(self._counts, 1) if place != number and count != _ABSENT)
        return min(others, default=None)
