"""The candidates: what a board does with facts, each with another structure below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sortedcontainers import SortedKeyList, SortedList

from actors.leaderboard.events import Row
from actors.leaderboard.place import Place, place_of, reached_us_of, score_of, slot_of, version_of
from actors.leaderboard.ranking import Ranking
from actors.ports import ScoreFact, UserId
from tests.bench.rankings.valkey import ValkeyBoard
from tests.fakes.scores import members_of


class Candidate(Protocol):
    """A board."""

    def load(self, facts: Sequence[ScoreFact]) -> object:
        """Add players that are new."""

    def arrange(self) -> None:
        """All have been added."""

    def apply(self, facts: Sequence[ScoreFact]) -> Sequence[object]:
        """Take in one fact after the other; the rank before and after each."""

    def rank(self, user_id: UserId) -> int | None:
        """From 1."""

    def page(self, offset: int, limit: int) -> object:
        """Lines behind the first `offset`."""

    def processor_s(self) -> float:
        """What was used outside of this process."""

    def memory(self) -> int:
        """Bytes outside of this process."""


class InProcess:
    """Nothing is outside."""

    def arrange(self) -> None:
        """Already done."""

    def processor_s(self) -> float:
        """Nothing."""
        return 0.0

    def memory(self) -> int:
        """Nothing."""
        return 0


class Ours(InProcess):
    """What the server has."""

    def __init__(self) -> None:
        self._ranking = Ranking()

    def load(self, facts: Sequence[ScoreFact]) -> None:
        """See `Candidate`."""
        self._ranking.load(members_of(facts))

    def arrange(self) -> None:
        """See `Candidate`."""
        for _ in self._ranking.arrange():
            pass

    def rank(self, user_id: UserId) -> int | None:
        """See `Candidate`."""
        return self._ranking.rank(user_id)

    def page(self, offset: int, limit: int) -> object:
        """See `Candidate`."""
        return self._ranking.rows(offset, limit)

    def apply(self, facts: Sequence[ScoreFact]) -> list[object]:
        """See `Candidate`."""
        return [self._ranking.apply(fact) for fact in facts]


class Tuples(InProcess):
    """A `SortedList` of tuples, facts in a dict: the plainest way."""

    def __init__(self) -> None:
        self._facts: dict[UserId, ScoreFact] = {}
        self._places: Any = SortedList()

    @staticmethod
    def _place(fact: ScoreFact) -> Any:
        return (-fact.score, fact.reached_us, fact.user_id)

    def load(self, facts: Sequence[ScoreFact]) -> None:
        """See `Candidate`."""
        self._facts.update((fact.user_id, fact) for fact in facts)
        self._places.update(map(self._place, facts))

    def apply(self, facts: Sequence[ScoreFact]) -> list[object]:
        """See `Candidate`."""
        return [self._apply(fact) for fact in facts]

    def _apply(self, fact: ScoreFact) -> tuple[int, int]:
        old = self._facts[fact.user_id]
        assert fact.version > old.version
        before = self._places.index(self._place(old))
        del self._places[before]
        self._facts[fact.user_id] = fact
        place = self._place(fact)
        self._places.add(place)
        return before + 1, self._places.index(place) + 1

    def rank(self, user_id: UserId) -> int:
        """See `Candidate`."""
        rank: int = self._places.index(self._place(self._facts[user_id]))
        return rank + 1

    def page(self, offset: int, limit: int) -> list[object]:
        """See `Candidate`."""
        places = self._places.islice(offset, offset + limit)
        return [_row(rank, self._fact(place)) for rank, place in enumerate(places, offset + 1)]

    def _fact(self, place: Any) -> ScoreFact:
        return self._facts[place[2]]


class Keyed(Tuples):
    """A `SortedKeyList` of the facts themselves."""

    def __init__(self) -> None:
        super().__init__()
        self._places = SortedKeyList(key=super()._place)

    @staticmethod
    def _place(fact: ScoreFact) -> Any:
        return fact

    def _fact(self, place: ScoreFact) -> ScoreFact:
        return place


class Integers(InProcess):
    """A `SortedList` of our integers, with flat lists of ids and names; exact only while nobody is tied."""

    def __init__(self) -> None:
        self._of: dict[UserId, Place] = {}
        self._ids: list[UserId] = []
        self._names: list[str] = []
        self._places: Any = SortedList()

    def load(self, facts: Sequence[ScoreFact]) -> None:
        """See `Candidate`."""
        for slot, fact in enumerate(facts, len(self._ids)):
            self._of[fact.user_id] = place_of(fact.score, fact.reached_us, slot, fact.version)
        self._ids += [fact.user_id for fact in facts]
        self._names += [fact.username for fact in facts]
        self._places.update(self._of[fact.user_id] for fact in facts)

    def apply(self, facts: Sequence[ScoreFact]) -> list[object]:
        """See `Candidate`."""
        return [self._apply(fact) for fact in facts]

    def _apply(self, fact: ScoreFact) -> tuple[int, int]:
        old = self._of[fact.user_id]
        assert fact.version > version_of(old)
        slot = slot_of(old)
        before = self._places.index(old)
        del self._places[before]
        place = self._of[fact.user_id] = place_of(fact.score, fact.reached_us, slot, fact.version)
        self._names[slot] = fact.username
        self._places.add(place)
        return before + 1, self._places.index(place) + 1

    def rank(self, user_id: UserId) -> int:
        """See `Candidate`."""
        rank: int = self._places.index(self._of[user_id])
        return rank + 1

    def page(self, offset: int, limit: int) -> list[object]:
        """See `Candidate`."""
        places = self._places.islice(offset, offset + limit)
        return [self._line(rank, place) for rank, place in enumerate(places, offset + 1)]

    def _line(self, rank: int, place: Place) -> Row:
        slot = slot_of(place)
        return Row(rank, self._ids[slot], self._names[slot], score_of(place), reached_us_of(place))


def _row(rank: int, fact: ScoreFact) -> Row:
    return Row(rank, fact.user_id, fact.username, fact.score, fact.reached_us)


CANDIDATES: dict[str, type[Candidate]] = {
    "ours": Ours,
    "SortedList, tuples": Tuples,
    "SortedList, integers": Integers,
    "SortedKeyList": Keyed,
    "Valkey": ValkeyBoard,
}
