"""The board of Redis in memory."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import BoardId, ScoreFact, UserId
from tests.fakes.faults import Faults


class FakeBoardCache:
    """`BoardCache` in memory. `names` are the cached names of players."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.names: dict[UserId, str] = {}
        self._boards: dict[BoardId, dict[UserId, int]] = {}

    async def put(self, board: BoardId, facts: Sequence[ScoreFact]) -> None:
        """See `BoardCache.put`."""
        await self.faults.around(lambda: self._put(board, facts))

    def _put(self, board: BoardId, facts: Sequence[ScoreFact]) -> None:
        scores = self._boards.setdefault(board, {})
        for fact in facts:
            scores[fact.user_id] = max(fact.score, scores.get(fact.user_id, 0))
            self.names[fact.user_id] = fact.username

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """See `BoardCache.top`."""
        return await self.faults.around(lambda: self._top(board, limit))

    def _top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        rows = sorted(self._boards.get(board, {}).items(), key=lambda row: (row[1], row[0]), reverse=True)
        return rows[: max(limit, 0)]

    async def clear(self, board: BoardId) -> None:
        """See `BoardCache.clear`."""
        await self.faults.around(lambda: self._boards.pop(board, None))
