"""How long turns of the event loop took lately, from counts that only grow."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Marks are made so often, and so many are kept: what is told is of the last minute.
MARK_EVERY_S = 10.0
MARKS = 6
_MOST = 0.99


class Lag(NamedTuple):
    """How many turns there were, and bounds that all but a hundredth of them, and all of them, kept. Seconds."""

    turns: int
    p99_s: float
    worst_s: float


class RecentLag:
    """Looks back over the marks that somebody makes; costs nothing in between.

    Args:
        counts: How many turns there were so far, for each of the `bounds` those within it, and the rest.
        bounds: In seconds, ascending.
    """

    def __init__(self, counts: Callable[[], Sequence[int]], bounds: Sequence[float]) -> None:
        self._counts = counts
        self._bounds = (*bounds, math.inf)
        self._marks: deque[Sequence[int]] = deque([(0,) * len(self._bounds)], MARKS)

    def mark(self) -> None:
        """To be called every `MARK_EVERY_S`."""
        self._marks.append(self._counts())

    def now(self) -> Lag:
        """Since the oldest mark."""
        counts = [after - before for after, before in zip(self._counts(), self._marks[0], strict=True)]
        total = sum(counts)
        return Lag(total, self._bound(counts, math.ceil(_MOST * total)), self._bound(counts, total))

    def _bound(self, counts: Sequence[int], wanted: int) -> float:
        """The least bound that so many turns kept."""
        seen = 0
        for count, bound in zip(counts, self._bounds, strict=True):
            seen += count
            if seen >= wanted:
                return bound if wanted else 0.0
        return math.inf
