"""Time and ids as a test wants them."""

from __future__ import annotations

import itertools

import trio

#: When the clock begins unless a test says otherwise: a Sunday afternoon.
BEGIN_S = 1_750_000_000


class TrioClock:
    """The time of day as Trio's clock has it, so that a virtual one moves it; it begins at a second of the epoch."""

    def __init__(self, begin_s: int = BEGIN_S) -> None:
        self._begin_us = begin_s * 1_000_000

    def now_us(self) -> int:
        return self._begin_us + round(trio.current_time() * 1_000_000)


class SetClock(TrioClock):
    """Ahead of what the others show, by so many seconds."""

    def __init__(self, ahead_s: float = 0, begin_s: int = BEGIN_S) -> None:
        super().__init__(begin_s)
        self.ahead_s = ahead_s

    def now_us(self) -> int:
        return super().now_us() + round(self.ahead_s * 1_000_000)


class CountedIds:
    """One after the other."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def uuid(self) -> str:
        return f"id-{next(self._numbers)}"

    def nonce(self) -> str:
        return f"epoch-{next(self._numbers)}"
