"""Reading all players from the store again, page by page, beside all other work."""

from __future__ import annotations

import math

from actors.ports import ScoreFact, ScoreStore, UserId

#: How many players are read in one round trip.
PAGE = 10_000


class Rereading:
    """How far a board has read them again. `due` is when the next page is to be read, infinite when there is none."""

    __slots__ = ("_last", "_most", "due")

    def __init__(self, most: int = PAGE) -> None:
        self._most = most
        self.due = math.inf
        self._last: UserId | None = None

    def begin(self, now: float) -> None:
        """Read all, from the first player on, also when another reading is under way."""
        self._last = None
        self.due = now

    def postpone(self, until: float) -> None:
        """The store is away; go on later where it stopped."""
        self.due = until

    async def page(self, store: ScoreStore) -> list[ScoreFact]:
        """The next players. Raises StoreUnavailable, and then stands where it stood."""
        facts = await store.members_after(self._last, self._most)
        if len(facts) < self._most:
            self.due = math.inf
        else:
            self._last = facts[-1].user_id
        return facts
