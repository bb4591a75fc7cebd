"""What an operator is told while a board is being loaded."""

from __future__ import annotations

import math
from collections.abc import Callable

from actors.leaderboard.loading import Loading
from scoreboard.observe.logs import Logger

SAID_EACH_S = 1.0


def progress_of(loading: Loading | None) -> str:
    """For ``/ready``. How many there will be is told only from what has been read, so "about" until the end."""
    if loading is None or not loading.share:
        return "is being loaded"
    about = "" if loading.share == 1 else "about "
    return f"is being loaded, {loading.share:.0%}: {loading.players:,} of {about}{loading.about:,} players"


class LoadingLog:
    """Logs how far a board is, once in `SAID_EACH_S` seconds; a board that takes less says nothing of it."""

    def __init__(self, log: Logger, now: Callable[[], float]) -> None:
        self._log, self._now = log, now
        self._next = math.inf

    def heard(self, loading: Loading) -> None:
        """The loading has come so far."""
        now = self._now()
        if not loading.share:
            self._next = now + SAID_EACH_S
        elif now >= self._next:
            self._next = now + SAID_EACH_S
            self._log.info("loading_board", board=loading.board, progress=progress_of(loading))
