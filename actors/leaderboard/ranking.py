"""The order of a board: score descending, first to reach it, user id. Exact; every question in logarithmic time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sortedcontainers import SortedList

from actors.leaderboard.events import Row
from actors.leaderboard.messages import RankMove
from actors.ports import ScoreFact, UserId

_Place = tuple[int, int, UserId]  # ascending order of these is the order of the board


def _place(fact: ScoreFact) -> _Place:
    return (-fact.score, fact.reached_us, fact.user_id)


class Ranking:
    """All players of one board with their last facts. Remembers the order at one moment, the mark."""

    def __init__(self) -> None:
        self._facts: dict[UserId, ScoreFact] = {}
        self._places: SortedList = SortedList()
        self._at_mark: dict[UserId, _Place | None] = {}  # of those who have moved since

    def __len__(self) -> int:
        return len(self._facts)

    def load(self, facts: Sequence[ScoreFact]) -> None:
        """Add many players at once, before the first mark; each must be new or newer than what is known."""
        fresh = [fact for fact in facts if self.is_news(fact)]
        for fact in fresh:
            old = self._facts.get(fact.user_id)
            if old is not None:
                self._places.remove(_place(old))
            self._facts[fact.user_id] = fact
        self._places.update(_place(fact) for fact in fresh)

    def apply(self, fact: ScoreFact) -> RankMove:
        """Take in one fact. One that is known, or older than what is known, changes nothing."""
        old = self._facts.get(fact.user_id)
        if old is not None and not self.is_news(fact):
            rank = self._places.index(_place(old)) + 1
            return RankMove(rank, rank)
        previous = None
        if old is not None:
            previous = self._places.index(_place(old)) + 1
            del self._places[previous - 1]
        self._at_mark.setdefault(fact.user_id, _place(old) if old is not None else None)
        self._facts[fact.user_id] = fact
        place = _place(fact)
        self._places.add(place)
        return RankMove(previous, self._places.index(place) + 1)

    def is_news(self, fact: ScoreFact) -> bool:
        """True for a fact that `apply` would take in."""
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

    # --- the mark ---

    def mark(self) -> None:
        """Remember the order as it is now."""
        self._at_mark.clear()

    def ranks_at_mark(self, players: Iterable[UserId]) -> dict[UserId, int | None]:
        """Where these players of the board stood at the mark; None for one who was not there.

        The present order is counted, less those who have come in front since, plus those who have gone from there.
        """
        came = sorted(_place(self._facts[user_id]) for user_id in self._at_mark)
        went = sorted(place for place in self._at_mark.values() if place is not None)
        ranks: dict[UserId, int | None] = {}
        for user_id in players:
            place = self._at_mark.get(user_id, _place(self._facts[user_id]))
            if place is None:
                ranks[user_id] = None
            else:
                ahead = self._places.bisect_left(place) - bisect_left(came, place) + bisect_left(went, place)
                ranks[user_id] = ahead + 1
        return ranks


def _row(rank: int, fact: ScoreFact) -> Row:
    return Row(rank, fact.user_id, fact.username, fact.score, fact.reached_us)
