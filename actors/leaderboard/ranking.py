"""The order of a board: score descending, first to reach it, user id. Exact; every question in logarithmic time."""

from __future__ import annotations

from dataclasses import dataclass

from sortedcontainers import SortedList

from actors.leaderboard.events import Row
from actors.ports import ScoreFact, UserId


@dataclass(frozen=True, slots=True)
class Move:
    """Rank before (None: not there) and after."""

    previous: int | None
    new: int


_Place = tuple[int, int, UserId]  # ascending order of these is the order of the board


def _place(fact: ScoreFact) -> _Place:
    return (-fact.score, fact.reached_us, fact.user_id)


class Ranking:
    """All players of one board with their last facts."""

    def __init__(self) -> None:
        self._facts: dict[UserId, ScoreFact] = {}
        self._places: SortedList = SortedList()

    def __len__(self) -> int:
        return len(self._facts)

    def load(self, facts: list[ScoreFact]) -> None:
        """Add many players at once; each must be new or newer than what is known."""
        fresh = [fact for fact in facts if self._is_news(fact)]
        for fact in fresh:
            old = self._facts.get(fact.user_id)
            if old is not None:
                self._places.remove(_place(old))
            self._facts[fact.user_id] = fact
        self._places.update(_place(fact) for fact in fresh)

    def apply(self, fact: ScoreFact) -> Move:
        """Take in one fact. One that is known, or older than what is known, changes nothing."""
        old = self._facts.get(fact.user_id)
        if old is not None and not self._is_news(fact):
            rank = self._places.index(_place(old)) + 1
            return Move(rank, rank)
        previous = None
        if old is not None:
            previous = self._places.index(_place(old)) + 1
            del self._places[previous - 1]
        self._facts[fact.user_id] = fact
        place = _place(fact)
        self._places.add(place)
        return Move(previous, self._places.index(place) + 1)

    def _is_news(self, fact: ScoreFact) -> bool:
        old = self._facts.get(fact.user_id)
        return old is None or fact.version > old.version

    def rank(self, user_id: UserId) -> int | None:
        """The player's rank from 1, None if not on the board."""
        fact = self._facts.get(user_id)
        return None if fact is None else self._places.index(_place(fact)) + 1

    def row(self, user_id: UserId) -> Row | None:
        """The player's line, None if not on the board."""
        rank = self.rank(user_id)
        return None if rank is None else _row(rank, self._facts[user_id])

    def rows(self, offset: int, limit: int) -> tuple[Row, ...]:
        """`limit` lines in order behind the first `offset`; fewer at the end."""
        places = self._places.islice(offset, offset + limit)
        return tuple(_row(offset + n, self._facts[user_id]) for n, (_, _, user_id) in enumerate(places, 1))


def _row(rank: int, fact: ScoreFact) -> Row:
    return Row(rank, fact.user_id, fact.username, fact.score, fact.reached_us)
