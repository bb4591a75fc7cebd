"""The last state of each board, for readers in this process who need not ask."""

from __future__ import annotations

from dataclasses import dataclass

from actors.leaderboard.events import Row
from actors.leaderboard.loading import Loading
from actors.ports import BoardId

#: So many rows of each board are published; deeper pages are asked of the actor.
PUBLISHED_ROWS = 100


@dataclass(frozen=True, slots=True)
class BoardView:
    """The first rows of a board at one moment. Immutable; a newer one replaces it."""

    board: BoardId
    epoch: str
    rows: tuple[Row, ...]
    total: int


class PublishedBoards:
    """Where leaderboard actors put their views and others look them up. Never waits."""

    def __init__(self) -> None:
        self._views: dict[BoardId, BoardView] = {}
        self._loading: dict[BoardId, Loading] = {}

    def publish(self, view: BoardView) -> None:
        """Replace the view of a board."""
        self._loading.pop(view.board, None)
        self._views[view.board] = view

    def withdraw(self, board: BoardId) -> None:
        """Nobody holds the board any more."""
        self._views.pop(board, None)

    def get(self, board: BoardId) -> BoardView | None:
        """The view of a board, None while no actor holds it."""
        return self._views.get(board)

    def tell_loading(self, loading: Loading) -> None:
        """A board that is not published yet has come so far."""
        self._loading[loading.board] = loading

    def loading(self, board: BoardId) -> Loading | None:
        """How far the loading of a board is; None when it has not begun or is done."""
        return self._loading.get(board)
