"""The board of Redis in memory."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import BoardId, BoardPart, ScoreFact, SpentToken, UserId
from tests.fakes.faults import Faults


class FakeBoardCache:
    """`BoardCache` in memory.

    `names` are the cached names of players, `faces` their countries and avatars, `spent` the tokens by their hashes.
    """

    def __init__(self) -> None:
        self.faults = Faults()
        self.names: dict[UserId, str] = {}
        self.faces: dict[UserId, tuple[str | None, str | None]] = {}
        self.spent: dict[bytes, SpentToken] = {}
        self._boards: dict[BoardId, dict[UserId, int]] = {}
        self._copies: dict[BoardId, tuple[int, dict[UserId, int]]] = {}  # the piece that is to come, and what has come
        self._told: dict[tuple[BoardId, UserId], tuple[bool, int]] = {}  # who was ever hidden, or shown again, and when

    async def put(self, board: BoardId, facts: Sequence[ScoreFact], spent: Sequence[SpentToken] = ()) -> None:
        """See `BoardCache.put`."""
        await self.faults.around(lambda: self._put(board, facts, spent))

    def _put(self, board: BoardId, facts: Sequence[ScoreFact], spent: Sequence[SpentToken]) -> None:
        self.spent |= {token.name: token for token in spent}
        scores = self._boards.setdefault(board, {})
        for fact in sorted(facts, key=lambda fact: fact.version):
            hidden, version = self._told.get((board, fact.user_id), (False, 0))
            if fact.hidden and fact.version >= version:
                scores.pop(fact.user_id, None)
                self._told[board, fact.user_id] = True, fact.version
            elif not fact.hidden and (not hidden or fact.version > version):
                scores[fact.user_id] = max(fact.score, scores.get(fact.user_id, 0))
                if hidden:
                    self._told[board, fact.user_id] = False, fact.version
            self.names[fact.user_id] = fact.username
            self.faces[fact.user_id] = fact.country, fact.avatar

    async def show(self, part: BoardPart) -> None:
        """See `BoardCache.show`."""
        await self.faults.around(lambda: self._show(part))

    def _show(self, part: BoardPart) -> None:
        places = [self._boards.setdefault(part.board, {})]
        if part.piece == 0:
            self._copies[part.board] = 0, {}
        awaited, copy = self._copies.get(part.board, (-1, {}))
        if awaited == part.piece:
            self._copies[part.board] = awaited + 1, copy
            places.append(copy)
        for place in places:
            place.update(part.scores)
            for user_id in part.gone:
                place.pop(user_id, None)
        if awaited == part.piece and part.whole:
            self._boards[part.board] = copy
            del self._copies[part.board]

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """See `BoardCache.top`."""
        return await self.faults.around(lambda: self._top(board, limit))

    def _top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        rows = sorted(self._boards.get(board, {}).items(), key=lambda row: (row[1], row[0]), reverse=True)
        return rows[: max(limit, 0)]

    async def clear(self, board: BoardId) -> None:
        """See `BoardCache.clear`."""
        await self.faults.around(lambda: self._clear(board))

    def _clear(self, board: BoardId) -> None:
        self._boards.pop(board, None)
        self._told = {key: told for key, told in self._told.items() if key[0] != board}
