"""A board for readers beside this process; it may be lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import BoardId, UserId


class BoardCache(Protocol):
    """The sorted set of a board in Redis, for readers beside this process."""

    async def put(self, board: BoardId, facts: Sequence[ScoreFact]) -> None:
        """Raise the scores and set the cached names of players; a batch in one round trip.

        A score is never lowered, so facts may come late or twice. Raises StoreUnavailable.
        """
        ...

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """The best `limit` players with their scores, best first; equal scores by descending id, as Redis has them."""
        ...

    async def clear(self, board: BoardId) -> None:
        """Forget the board."""
        ...
