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
        # The oldest stands first. Tuples, because nearly every client looks at one board, and there are many clients.
        self._looks: tuple[tuple[BoardId, float], ...] = ()

    def __repr__(self) -> str:
        return f"<BoardsSeen {', '.join(board for board, _ in self._looks) or 'none'}>"

    def look_at(self, board: BoardId, now: float) -> bool:
        """One more look; False, and it should not be had, where it would be at one board too many."""
        lately = tuple(look for look in self._looks if now - look[1] < BOARDS_WITHIN_S)
        others = tuple(look for look in lately if look[0] != board)
        if len(others) >= MAX_BOARDS:
            self._looks = lately
            return False
        self._looks = (*others, (board, now))
        return True
