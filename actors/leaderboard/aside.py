"""Players who are kept off a board. Synchronous."""

from __future__ import annotations

from actors.leaderboard.events import Row
from actors.leaderboard.messages import RankMove
from actors.leaderboard.order import Order, Standing
from actors.leaderboard.place import TIE_BITS, place_of
from actors.ports import ScoreFact, UserId


class Aside:
    """The last facts of players who are hidden, and where they would stand if they were not.

    They are few; the order knows nothing of them.
    """

    __slots__ = ("_facts", "_order")

    def __init__(self, order: Order) -> None:
        self._order = order
        self._facts: dict[UserId, ScoreFact] = {}

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._facts

    def get(self, user_id: UserId) -> ScoreFact | None:
        """What is known of one who is hidden; None of others."""
        return self._facts.get(user_id)

    def keep(self, fact: ScoreFact) -> None:
        """Hide a player from the beginning."""
        self._facts[fact.user_id] = fact

    def put(self, fact: ScoreFact) -> RankMove:
        """Hide a player, or take in what one has done who is hidden; the ranks that the player would have."""
        before = self.rank(fact.user_id)
        self._facts[fact.user_id] = fact
        return RankMove(before, self._order.ahead(_standing(fact)) + 1)

    def take(self, user_id: UserId) -> int | None:
        """Forget a player; the rank that the player would have had, None for one who is not here."""
        rank = self.rank(user_id)
        self._facts.pop(user_id, None)
        return rank

    def rank(self, user_id: UserId) -> int | None:
        """The rank that a player would have; None for one who is not here."""
        fact = self._facts.get(user_id)
        return None if fact is None else self._order.ahead(_standing(fact)) + 1

    def row(self, user_id: UserId) -> Row | None:
        """The line that a player would have; None for one who is not here."""
        fact, rank = self._facts.get(user_id), self.rank(user_id)
        if fact is None or rank is None:
            return None
        return Row(rank, user_id, fact.username, fact.score, fact.reached_us, fact.country, fact.avatar)


def _standing(fact: ScoreFact) -> Standing:
    return place_of(fact.score, fact.reached_us, 0, 0) >> TIE_BITS, fact.user_id
