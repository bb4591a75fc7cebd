"""How old what a replica shows is at most, by what was written at the primary at which moment."""

from __future__ import annotations

import math
from collections import deque


class Freshness:
    """Knows places in the log of the primary, each with the moment at which it was the end.

    That needs nothing of the replica but how far it is, holds also while nobody writes anything, and is right about a
    replica that hears nothing of the primary any more.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._ends: deque[tuple[float, int]] = deque(maxlen=most)

    def __repr__(self) -> str:
        return f"<Freshness, {len(self._ends)} ends known>"

    def ended(self, now: float, place: int) -> None:
        """The log of the primary ended there, not before `now`. If that was further before, there was a failover."""
        if self._ends and place < self._ends[-1][1]:
            self._ends.clear()
        self._ends.append((now, place))

    def shown_since(self, place: int | None) -> float:
        """The last moment of which a replica that is at that place shows everything; long ago if it is none."""
        if place is None:
            return -math.inf
        return max((at for at, end in self._ends if end <= place), default=-math.inf)
