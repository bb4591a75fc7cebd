"""A guess whether the writes of the next call will all be news, by the calls before."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import CommitOutcome, Committed

MOST = 3
TOO_MUCH = 2


class Foresight:
    """Counts surprises: up with a call that was not all news, down with one that was.

    The attempt to write without judging saves what judging reads if it succeeds, and is thrown away if it fails. So one
    surprise among many calls does not keep from the next attempt; two in a row do, until calls that were judged turn
    out to be news again.
    """

    __slots__ = ("_surprises",)

    def __init__(self) -> None:
        self._surprises = 0

    def __repr__(self) -> str:
        return f"<Foresight {'news' if self.news else 'no news'}>"

    @property
    def news(self) -> bool:
        """Whether the attempt is worth while."""
        return self._surprises < TOO_MUCH

    def learn(self, outcomes: Sequence[CommitOutcome]) -> None:
        """What became of the writes of a call, whether they were attempted or judged."""
        all_news = all(isinstance(outcome, Committed) and not outcome.again for outcome in outcomes)
        self._surprises = max(self._surprises - 1, 0) if all_news else min(self._surprises + 1, MOST)
