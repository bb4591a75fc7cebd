"""Which ranks facts have moved since somebody asked, as few intervals. Synchronous.

A move from one rank to another touches the ranks between and no other; who comes or goes touches all from there to the
end. So whoever stands at a rank that no interval holds stands there still, beside the same neighbours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

#: So many intervals are put together at once; whoever does not ask while more stay apart is told that all was touched.
MERGED_AT, MOST = 1024, 4096
#: Behind every rank.
END = sys.maxsize


class Ranks(NamedTuple):
    """From one rank to another, both included."""

    first: int
    last: int


class Touched:
    """Collects."""

    __slots__ = ("_full_at", "_ranks")

    def __init__(self) -> None:
        self._ranks: list[Ranks] = []
        self._full_at = MERGED_AT

    def __repr__(self) -> str:
        return f"<Touched {len(self._ranks)} intervals>"

    def add(self, first: int, last: int) -> bool:
        """One more, either end first; False when there are too many to be kept apart."""
        self._ranks.append(Ranks(first, last) if first <= last else Ranks(last, first))
        if len(self._ranks) < self._full_at:
            return True
        self._ranks = merged(self._ranks)
        self._full_at = len(self._ranks) + MERGED_AT
        return len(self._ranks) <= MOST

    def take(self) -> tuple[Ranks, ...]:
        """All since the last time, in order; no two meet."""
        taken = tuple(merged(self._ranks))
        self._ranks, self._full_at = [], MERGED_AT
        return taken


def merged(ranks: Sequence[Ranks]) -> list[Ranks]:
    """The same ranks in as few intervals as possible, in order."""
    found: list[Ranks] = []
    for each in sorted(ranks):
        if found and each.first <= found[-1].last + 1:
            if each.last > found[-1].last:
                found[-1] = Ranks(found[-1].first, each.last)
        else:
            found.append(each)
    return found
