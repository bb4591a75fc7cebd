"""The first rows of a board, made anew only where the order has changed."""

from __future__ import annotations

from collections.abc import Callable

from actors.leaderboard.events import Row
from actors.leaderboard.place import Place


class Head:
    """Keeps the rows that it made last. Most changes of a large board are none of its first rows.

    A player's place tells all of a row but its rank, because it has the slot and the version of the fact. So where the
    same place stands at the same rank, the same row stands; only `forget` before a slot is given to somebody else.
    """

    __slots__ = ("_places", "_rows")

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._rows: tuple[Row, ...] = ()

    def rows(self, places: list[Place], make: Callable[[int, Place], Row]) -> tuple[Row, ...]:
        """The rows of the first places of the order; the very same tuple as last time if none of them has changed.

        `make` makes the row of a rank and a place. It is not kept: with a method of a ranking that has this head, the
        two would keep each other.
        """
        if places != self._places:
            known, rows = self._places, self._rows
            self._rows = tuple(
                rows[at] if at < len(known) and known[at] == place else make(at + 1, place)
                for at, place in enumerate(places)
            )
            self._places = places
        return self._rows

    def forget(self) -> None:
        """Make all rows anew the next time."""
        self._places, self._rows = [], ()
