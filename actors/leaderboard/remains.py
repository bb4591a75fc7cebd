"""What is left of rankings that are over: it is let go piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import trio

from actors.leaderboard.ranking import Ranking
from actors.runtime import Actor


class Remains(Actor):
    """Is told rankings that nobody asks any more, and lets them go while others have turns.

    To free a million players at once would hold everybody up for longer than a frame may take. A ranking outlives the
    board that crashed with it, so it is no part of any board; and its error, with all that led there, keeps it for as
    long as anybody keeps the error.
    """

    def __init__(self) -> None:
        self._leaving: deque[Iterator[None]] = deque()

    def __repr__(self) -> str:
        return f"<Remains of {len(self._leaving)} rankings>"

    async def receive(self, message: Ranking) -> None:
        """Let this one go, behind those that came before."""
        self._leaving.append(message.dissolve())
        self.wake_at = trio.current_time()

    async def woken(self) -> None:
        """One piece: a millisecond's work."""
        if next(self._leaving[0], self) is self:
            self._leaving.popleft()
        await trio.lowlevel.checkpoint()
        if self._leaving:
            self.wake_at = trio.current_time()
