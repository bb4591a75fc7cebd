"""A ranking that is read from the store beside the one that is shown, and takes its place when it is whole."""

from __future__ import annotations

import math
from collections.abc import Iterable

import trio

from actors.leaderboard.ranking import Ranking
from actors.leaderboard.rereading import Rereading
from actors.ports import ScoreFact, ScoreStore

#: So many players are read at once: to rank them takes some 20 ms, for which the board answers nobody.
PAGE = 1_000
#: After so many others run.
SLICE = 250


class Rebuilding:
    """How far it is. `ranking` is what has been read so far, None while nothing is being rebuilt."""

    __slots__ = ("_reading", "ranking")

    def __init__(self) -> None:
        self.ranking: Ranking | None = None
        self._reading = Rereading(PAGE)

    def __repr__(self) -> str:
        return f"<Rebuilding, {'nothing' if self.ranking is None else len(self.ranking)}>"

    @property
    def due(self) -> float:
        """When the next players are to be read, infinite when there is nothing to do."""
        return math.inf if self.ranking is None else self._reading.due

    def begin(self, now: float) -> None:
        """From the first player on, also when it had begun before."""
        self.ranking = Ranking()
        self._reading.begin(now)

    def postpone(self, until: float) -> None:
        """The store is away; go on later where it stopped."""
        self._reading.postpone(until)

    def take(self, facts: Iterable[ScoreFact]) -> None:
        """What happens meanwhile belongs into both; a player's version tells what is older."""
        if self.ranking is not None:
            for fact in facts:
                self.ranking.apply(fact)

    async def read_on(self, store: ScoreStore) -> Ranking | None:
        """Read one page; the whole ranking when it was the last. Raises StoreUnavailable, and then is as before."""
        facts = await self._reading.page(store)
        for start in range(0, len(facts), SLICE):
            self.take(facts[start : start + SLICE])
            await trio.lowlevel.checkpoint()
        if self._reading.due < math.inf:
            return None
        whole, self.ranking = self.ranking, None
        return whole
