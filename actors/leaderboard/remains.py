"""What is left of rankings that are over: it is let go piece by piece."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from actors.leaderboard.ranking import Ranking


class Remains:
    """To free a million players at once would hold everybody up for as long as a tick."""

    __slots__ = ("_leaving",)

    def __init__(self) -> None:
        self._leaving: deque[Iterator[None]] = deque()

    def __bool__(self) -> bool:
        return bool(self._leaving)

    @property
    def due(self) -> float:
        """When `let_go` should be called: at once, or never."""
        return -math.inf if self._leaving else math.inf

    def add(self, ranking: Ranking) -> None:
        """Nobody asks this one any more."""
        if len(ranking):
            self._leaving.append(ranking.dissolve())

    def let_go(self) -> None:
        """One piece: a millisecond's work."""
        if self._leaving and next(self._leaving[0], self) is self:
            self._leaving.popleft()
