"""The last state of each board, for readers in this process who need not ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from actors.leaderboard.events import Row
from actors.leaderboard.loading import Loading
from actors.ports import BoardId, Span
from actors.runtime import Question

R = TypeVar("R")

#: So many rows of each board are published; deeper pages are asked of the actor.
PUBLISHED_ROWS = 100


@dataclass(frozen=True, slots=True)
class BoardView:
    """The first rows of a board at one moment. Immutable; a newer one replaces it. `span`: its period, if any."""

    board: BoardId
    epoch: str
    rows: tuple[Row, ...]
    total: int
    span: Span | None = None


class PublishedBoards:
    """Where leaderboard actors put their views and others look them up. Never waits.

    Whatever a view does not show is told by the board's reader, at once and of the same moment as the view. While the
    board is between two states, which others must not see, it has no reader: who asks the actor then waits for the end.
    """

    def __init__(self) -> None:
        self._views: dict[BoardId, BoardView] = {}
        self._readers: dict[BoardId, Callable[[Any], Any]] = {}
        self._loading: dict[BoardId, Loading] = {}
        self._looked_at: set[BoardId] = set()

    def publish(self, view: BoardView) -> None:
        """Replace the view of a board."""
        self._loading.pop(view.board, None)
        self._views[view.board] = view

    def open(self, board: BoardId, reader: Callable[[Any], Any]) -> None:
        """Let `reader` answer questions to the board until `shut`."""
        self._readers[board] = reader

    def shut(self, board: BoardId) -> None:
        """The board is going to change, and lets others run before it is whole again."""
        self._readers.pop(board, None)

    def withdraw(self, board: BoardId) -> None:
        """Nobody holds the board any more."""
        self.shut(board)
        self._views.pop(board, None)
        self._looked_at.discard(board)

    def get(self, board: BoardId) -> BoardView | None:
        """Somebody looks at a board: its view, None while no actor holds it."""
        self._looked_at.add(board)
        return self._views.get(board)

    def answer(self, board: BoardId, question: Question[R]) -> R | None:
        """What the board's actor would answer now; None while only the actor itself can tell. Raises its refusals."""
        self._looked_at.add(board)
        reader = self._readers.get(board)
        return None if reader is None else reader(question)

    def current(self, board: BoardId) -> BoardView | None:
        """The same for whoever shows it."""
        return self._views.get(board)

    def was_looked_at(self, board: BoardId) -> bool:
        """Whether somebody has looked since this was asked last. Whoever looks does not ask the board itself."""
        looked = board in self._looked_at
        self._looked_at.discard(board)
        return looked

    def tell_loading(self, loading: Loading) -> None:
        """A board that is not published yet has come so far."""
        self._loading[loading.board] = loading

    def loading(self, board: BoardId) -> Loading | None:
        """How far the loading of a board is; None when it has not begun or is done."""
        return self._loading.get(board)
