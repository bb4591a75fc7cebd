"""What the senders of one way were told of their scores: every action once, with one total, for ever."""

from __future__ import annotations

import threading
from typing import NamedTuple

from tests.bench.kept import Wrong


class Told(NamedTuple):
    """Of one action: whose it was, its total, and the ranks, None where they were not told."""

    user_id: str
    score: int
    previous_rank: int | None
    new_rank: int | None


class Book:
    """Acknowledgements of one way; any thread may write.

    Args:
        players: How many there are, so that no rank is worse.
        ranks_again: Whether a retry hears the ranks of the first time, or none.
    """

    def __init__(self, players: int, *, ranks_again: bool) -> None:
        self.resent = 0
        self.known = 0
        self._players = players
        self._ranks_again = ranks_again
        self._told: dict[str, Told] = {}
        self._lock = threading.Lock()

    def sent_again(self) -> None:
        """A request goes out once more."""
        with self._lock:
            self.resent += 1

    def write(self, action: str, told: Told, *, repeated: bool, first: bool) -> None:
        """An acknowledgement; `repeated` is what it says of itself, `first` that the action was sent only once so far.

        Raises:
            Wrong: it cannot be true.
        """
        with self._lock:
            self.known += repeated
            if first and repeated:
                raise Wrong(f"{action} was sent once, and is told to be known: {told}")
            before = self._told.setdefault(action, told)
            if told[:2] != before[:2] or (before is not told and not repeated):
                raise Wrong(f"{action} was told {before}, and now {told}")
            if self._ranks_again and told != before:
                raise Wrong(f"the ranks of {action} were told {before}, and now {told}")
            if not self._plausible(told):
                raise Wrong(f"{action} has ranks that cannot be: {told}")

    def _plausible(self, told: Told) -> bool:
        """A point lets nobody fall, and nobody stands behind the last."""
        if told.previous_rank is None or told.new_rank is None:
            return told.previous_rank is told.new_rank
        return 1 <= told.new_rank <= told.previous_rank <= self._players

    def summary(self) -> dict[str, object]:
        """For the bench: all totals of each player, and what else can be counted."""
        scores: dict[str, list[int]] = {}
        for told in self._told.values():
            scores.setdefault(told.user_id, []).append(told.score)
        ranked = sum(told.new_rank is not None for told in self._told.values())
        return {"scores": scores, "resent": self.resent, "known": self.known, "ranked": ranked}
