"""What a ranked state answers between two facts. Nothing here waits, and nothing of it is changed."""

from __future__ import annotations

from typing import Any

from actors.leaderboard.messages import (
    MOST_AROUND,
    Around,
    AroundAnswer,
    Loaded,
    NotRanked,
    Page,
    PageAnswer,
    RankAnswer,
    RankOf,
    TakeTouched,
    Windows,
    WindowsAnswer,
)
from actors.leaderboard.ranking import Ranking
from actors.ports import UserId


class Reader:
    """Answers the questions of one ranked state, as it is at that moment."""

    __slots__ = ("_ranking",)

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking

    def __repr__(self) -> str:
        return f"<Reader of {len(self._ranking)} players>"

    def __call__(self, question: object) -> Any:
        """The answer that the question names. Raises NotRanked, and TypeError for what is no question for a board."""
        match question:
            case Around():
                return self._around(question)
            case RankOf():
                return self._rank_of(question)
            case Page():
                return PageAnswer(self._ranking.rows(question.offset, question.limit), len(self._ranking))
            case Loaded():
                return len(self._ranking)
            case Windows(wanted):
                rows = tuple(self._ranking.own_window(user_id, radius, radius) for user_id, radius in wanted)
                return WindowsAnswer(rows, tuple(self._total_of(user_id) for user_id, _ in wanted))
            case TakeTouched():
                return self._ranking.take_touched()
        raise TypeError(f"a leaderboard does not understand {question!r}")

    def _rank_of(self, asked: RankOf) -> RankAnswer:
        row, total = self._ranking.row(asked.user_id), len(self._ranking)
        if row is None and asked.own:
            row, total = self._ranking.aside.row(asked.user_id), total + 1
        if row is None:
            raise NotRanked("There is no such player on this board.")
        return RankAnswer(row, round(100 * (total - row.rank + 1) / total, 1), total)

    def _around(self, asked: Around) -> AroundAnswer:
        above, below = min(asked.above, MOST_AROUND), min(asked.below, MOST_AROUND)
        window = self._ranking.own_window if asked.own else self._ranking.around
        rows = window(asked.user_id, above, below)
        for row in rows:
            if row.user_id == asked.user_id:
                return AroundAnswer(row, rows, self._total_of(asked.user_id))
        raise NotRanked("There is no such player on this board.")

    def _total_of(self, user_id: UserId) -> int:
        """How many players there are in that player's eyes: who is hidden counts itself."""
        return len(self._ranking) + (user_id in self._ranking.aside)
