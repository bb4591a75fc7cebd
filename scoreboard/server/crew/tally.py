"""How many connections each worker has, and which seat: in memory that all of them and the parent share."""

from __future__ import annotations

import mmap
from pathlib import Path

NAME = "connections"
#: For each seat how many connections; behind them for each worker its seat.
_SEATS = 128
_WORKERS = 64
_WIDTH = 8
_ABSENT = -1


class Tally:
    """One number for each seat, written by who has it, read by the others. Aligned words: no lock is needed."""

    def __init__(self, sockets: Path) -> None:
        with (sockets / NAME).open("r+b") as file:
            words = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        older = len(words) < _SEATS + _WORKERS  # a parent from before there were seats made it
        self._counts = words if older else words[:_SEATS]
        self._seats = None if older else words[_SEATS:]

    def __repr__(self) -> str:
        return f"<Tally {[count for count in self._counts if count != _ABSENT]}>"

    @classmethod
    def made_in(cls, sockets: Path) -> Tally:
        """A new one, of nobody yet."""
        absent = _ABSENT.to_bytes(_WIDTH, "little", signed=True)
        (sockets / NAME).write_bytes(absent * (_SEATS + _WORKERS))
        return cls(sockets)

    def tell(self, seat: int, connections: int) -> None:
        """Who has that seat has so many now."""
        self._counts[seat - 1] = connections

    def forget(self, seat: int) -> None:
        """Who had that seat is gone."""
        self._counts[seat - 1] = _ABSENT

    def least_of_others(self, seat: int) -> int | None:
        """What the one of the others has that has the fewest; None if there is nobody else."""
        others = (count for place, count in enumerate(self._counts, 1) if place != seat and count != _ABSENT)
        return min(others, default=None)

    def seated(self, number: int, seat: int) -> None:
        """From now on that worker is who has that seat."""
        if self._seats is not None:
            self._seats[number - 1] = seat

    def seat_of(self, number: int) -> int:
        """Of that worker; the one of the same number until it has another."""
        seat = _ABSENT if self._seats is None else self._seats[number - 1]
        return number if seat == _ABSENT else seat
