"""Seats: by them the processes of a machine find each other, and no two that live have the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

#: One is taken by a successor while its predecessor has its own; another one is for who was killed and is not gone yet.
SPARE_SEATS = 2


class Seating(Protocol):
    """Knows who has which seat, for all of this machine; see `Tally`."""

    def seated(self, number: int, seat: int) -> None:
        """From now on that worker is who has that seat."""
        ...

    def forget(self, seat: int) -> None:
        """Who had that seat is gone."""
        ...


def free_seat(number: int, count: int, taken: Collection[int]) -> int:
    """For one of `count` workers: that of its own number, if nobody has it; otherwise one that is left over.

    Raises OSError where there is none: processes that were killed are not gone.
    """
    spare = range(count + 1, count + SPARE_SEATS + 1)
    seats: tuple[int, ...] = (number, *spare, *range(1, count + 1))
    for seat in seats:
        if seat not in taken:
            return seat
    raise OSError(f"{len(taken)} processes have a seat, some of which were killed and not gone yet")
