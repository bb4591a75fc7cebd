"""How many boards one client makes the server keep in memory. Synchronous."""

from __future__ import annotations

from actors.ports import BoardId

#: A board that nobody else looks at is read from the store, and kept in memory for some minutes. So one client may look
#: at so many in this time, however often it changes its mind.
MAX_BOARDS, BOARDS_WITHIN_S = 20, 300.0


class BoardsSeen:
    """The boards that one client looked at lately."""

    __slots__ = ("_looks",)

    def __init__(self) -> None:
        self._looks: dict[BoardId, float] = {}  # the oldest look stands first

    def __repr__(self) -> str:
        return f"<BoardsSeen {', '.join(self._looks) or 'none'}>"

    def look_at(self, board: BoardId, now: float) -> bool:
        """One more look; False, and it should not be had, where it would be at one board too many."""
        looks = self._looks
        while looks and now - next(iter(looks.values())) >= BOARDS_WITHIN_S:
            del looks[next(iter(looks))]
        if len(looks) >= MAX_BOARDS and board not in looks:
            return False
        looks.pop(board, None)
        looks[board] = now
        return True
