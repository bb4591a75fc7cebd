"""What a copy of a board, kept elsewhere for other readers, still lacks. Synchronous."""

from __future__ import annotations

from itertools import islice

from actors.leaderboard.ranking import Ranking
from actors.ports import BoardId, BoardPart, Span, UserId

#: So many players are copied at once.
PIECE = 1_000

#: Seconds between two pieces. A million players are copied in two minutes, for a hundredth of this process's time.
BREATH_S = 0.1

#: So many seconds after all were copied they are copied again: others may have let the board go, or lost it.
AGAIN_S = 120.0


class Mirror:
    """Copies a board piece by piece, and then whoever has changed; and all of it again when it is told to."""

    def __init__(self, board: BoardId, ranking: Ranking, span: Span | None) -> None:
        self._board, self._ranking = board, ranking
        self._until_us = None if span is None else span.end_us
        self._changed: dict[UserId, None] = {}
        self._next_slot: int | None = 0  # of those who are there; None when all have been copied
        self._piece = 0

    def __repr__(self) -> str:
        return f"<Mirror {self._board}, {len(self._changed)} changed>"

    @property
    def behind(self) -> bool:
        """Whether the copy lacks anything."""
        return bool(self._changed) or self._next_slot is not None

    def changed(self, user_id: UserId) -> None:
        """This player's score has changed, or the player has come or gone."""
        self._changed[user_id] = None

    def again(self) -> None:
        """All shall be copied again: what there is of it may have been lost."""
        self._next_slot = self._piece = 0

    def next(self) -> BoardPart:
        """What to copy next."""
        players = list(islice(self._changed, PIECE))
        for user_id in players:
            del self._changed[user_id]
        slot = self._next_slot
        piece = None if slot is None else self._piece
        self._piece += 1
        if slot is not None and len(players) < PIECE:
            loaded = self._ranking.players(slot, slot + PIECE)
            self._next_slot = slot + PIECE if len(loaded) == PIECE else None
            players += loaded
        scores = {user_id: self._ranking.score(user_id) for user_id in players}
        return BoardPart(
            self._board,
            {user_id: score for user_id, score in scores.items() if score is not None},
            tuple(user_id for user_id, score in scores.items() if score is None and user_id),
            piece=piece,
            whole=piece is not None and self._next_slot is None,
            until_us=self._until_us,
        )
