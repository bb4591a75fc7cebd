"""Whose turn it is where few can be served at once: who is known goes first, and nobody keeps out all others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import trio

from scoreboard.security.shares import Shares

#: So many of those who are known go before one of the others, if one waits.
IN_A_ROW = 3


class Asker(NamedTuple):
    """Who asks for a turn: under these names; and known by that one, if at all."""

    names: Sequence[str] = ()
    known: str | None = None


class Lane:
    """Those who wait or are served by one way in: `most` in all, and `share` of them under one name."""

    def __init__(self, most: int, share: int) -> None:
        self.inside = 0
        self.most = most
        self.waiting = trio.lowlevel.ParkingLot()
        self._shares = Shares(share)

    def __repr__(self) -> str:
        return f"{self.inside}/{self.most}"

    def has_room(self, names: Sequence[str]) -> bool:
        """Whether one more may come in, under all of these names."""
        return self.inside < self.most and self._shares.has_room(names)

    @contextmanager
    def entered(self, names: Sequence[str]) -> Generator[None]:
        """Be inside for as long as the body runs."""
        self.inside += 1
        try:
            with self._shares.taken(names):
                yield
        finally:
            self.inside -= 1


class Turns:
    """Two lanes: one for everybody, one kept for those who are known, each of whom has one place in it.

    Args:
        at_once: So many are served.
        waiting: So many of everybody wait beside them.
        share: So much of everybody's places may be taken under one name, at least one.
        kept: So many places there are in the other lane. Who finds none there is as everybody.
    """

    def __init__(self, *, at_once: int, waiting: int, share: float, kept: int) -> None:
        most = at_once + waiting
        self.at_once = self._free = at_once
        self._everybody = Lane(most, max(1, int(share * most)))
        self._known = Lane(kept, 1)
        self._in_a_row = 0

    def __repr__(self) -> str:
        return f"inside={self._everybody!r} known={self._known!r}"

    @property
    def inside(self) -> int:
        """All who wait or are served."""
        return self._everybody.inside + self._known.inside

    def has_room(self, asker: Asker) -> bool:
        """Whether `taken` would let somebody in."""
        lane, names = self._way_in(asker)
        return lane.has_room(names)

    @asynccontextmanager
    async def taken(self, asker: Asker) -> AsyncGenerator[None]:
        """Wait for a turn, and have it for as long as the body runs. There must be room."""
        lane, names = self._way_in(asker)
        with lane.entered(names):
            if self._free:
                self._free -= 1
            else:
                await lane.waiting.park()
            try:
                yield
            finally:
                self._pass_on()

    def _way_in(self, asker: Asker) -> tuple[Lane, Sequence[str]]:
        if asker.known is not None and self._known.has_room((asker.known,)):
            return self._known, (asker.known,)
        return self._everybody, asker.names

    def _pass_on(self) -> None:
        known, everybody = self._known.waiting, self._everybody.waiting
        known_first = bool(known) and (self._in_a_row < IN_A_ROW or not everybody)
        self._in_a_row = self._in_a_row + 1 if known_first else 0
        if known_first:
            known.unpark()
        elif everybody:
            everybody.unpark()
        else:
            self._free += 1
