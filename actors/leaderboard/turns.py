"""Who may load a board now, while only some can at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors.ports import BoardScope


class Turns:
    """So many at once; the boards of all players before those of countries, for more people wait for them."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._first, self._then = trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot()

    def __repr__(self) -> str:
        return f"<Turns, {self._free} free, {len(self._first)} and {len(self._then)} wait>"

    @asynccontextmanager
    async def of(self, scope: BoardScope) -> AsyncIterator[None]:
        """Wait for a turn, which the body has. Among equals whoever came first is first."""
        if self._free:
            self._free -= 1
        else:
            await (self._first if scope.country is None else self._then).park()
        try:
            yield
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        if not (self._first.unpark() or self._then.unpark()):
            self._free += 1
