"""Which facts concern a board that does not show everybody's total, and what they change there. Synchronous."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from operator import sub

from actors.leaderboard.gains import Gain, judged
from actors.leaderboard.place import reached_us_of, score_of, slot_of, version_of
from actors.leaderboard.ranking import Ranking
from actors.ports import BoardScope, Members, ScoreFact, Span, UserId


class Roster:
    """The players of one country, of one period, or both, in a ranking.

    Facts may come late, twice or in another order. Where they do not suffice, the player is among the `doubts` until
    read from the store again: who comes anew to the board of a country may have left it since, and may have brought
    gains along. With every doubt settled the board is what the store says.
    """

    def __init__(self, scope: BoardScope, span: Span | None) -> None:
        self.ranking = Ranking()
        self.doubts: set[UserId] = set()
        self._country = scope.country
        self._span = span
        self._bases = array("q")  # of a period, by slot
        self._bases_aside: dict[UserId, int] = {}  # and of those who are hidden

    def __repr__(self) -> str:
        return f"<Roster of {len(self.ranking)}, {len(self.doubts)} in doubt>"

    # --- loading ---

    def load(self, members: Members) -> None:
        """As `Ranking.load`."""
        self.ranking.load(members)
        if self._span is None:
            return
        if members.hidden is not None:
            for user_id, total, score, hidden in zip(
                members.user_ids, members.totals, members.scores, members.hidden, strict=True
            ):
                if hidden:
                    self._bases_aside[user_id] = total - score
            members = members.shown()
        self._bases.extend(map(sub, members.totals, members.scores))

    def arrange(self) -> Iterator[None]:
        """As `Ranking.arrange`."""
        return self.ranking.arrange()

    # --- facts ---

    def take(self, fact: ScoreFact) -> bool:
        """Take in one fact; True if the board has changed."""
        known = self.ranking.version(fact.user_id)
        if self._country is not None:
            if fact.country != self._country:
                return known is not None and fact.version > known and self._leave(fact.user_id)
            if known is None:
                self.doubts.add(fact.user_id)
        if self._span is not None:
            return self._gain(fact, self._span)
        if known is not None and fact.version <= known:
            return False
        self.ranking.put(fact)
        return True

    def _gain(self, fact: ScoreFact, span: Span) -> bool:
        known = self._known(fact.user_id)
        gain, doubtful = judged(known, fact, span)
        # A change of profile may come before the gain with which the player came.
        if doubtful or (known is None and fact.version and not fact.points):
            self.doubts.add(fact.user_id)
        if doubtful and known is not None:
            # What was shown was so once, what would come of this fact perhaps never; only to be hidden cannot wait.
            gain = known if fact.hidden and fact.version > known.version else None
        elif gain is known:
            return False
        if gain is None or (known is None and fact.user_id in self.doubts):
            return False
        self._put(fact, gain)
        return True

    def _leave(self, user_id: UserId) -> bool:
        return self.ranking.remove(user_id) is not None

    # --- doubts ---

    def some_doubts(self, most: int) -> list[UserId]:
        """Up to so many players who must be read again."""
        return [user_id for user_id, _ in zip(self.doubts, range(most), strict=False)]

    def settle(self, asked: Collection[UserId], found: Members) -> None:
        """What the store says of players that it was asked for; who is not among those found is not on the board."""
        self.doubts.difference_update(asked)
        for user_id in set(asked).difference(found.user_ids):
            self._leave(user_id)
        for fact, total in zip(found.facts(), found.totals, strict=True):
            self._put(fact, Gain(fact.score, fact.reached_us, fact.version, total - fact.score))

    # --- one player ---

    def _known(self, user_id: UserId) -> Gain | None:
        place = self.ranking.place(user_id)
        if place is None:
            hidden = self.ranking.aside.get(user_id)
            if hidden is None:
                return None
            return Gain(hidden.score, hidden.reached_us, hidden.version, self._bases_aside[user_id])
        return Gain(score_of(place), reached_us_of(place), version_of(place), self._bases[slot_of(place)])

    def _put(self, fact: ScoreFact, gain: Gain) -> None:
        self.ranking.put(fact._replace(score=gain.score, reached_us=gain.reached_us, version=gain.version))
        if self._span is None:
            return
        if fact.hidden:
            self._bases_aside[fact.user_id] = gain.base
            return
        self._bases_aside.pop(fact.user_id, None)
        slot = self.ranking.slot(fact.user_id)
        if slot == len(self._bases):
            self._bases.append(gain.base)
        else:
            self._bases[slot] = gain.base
