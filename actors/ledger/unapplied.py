"""Facts that are on disk, but of which the board has not said that it knows them."""

from __future__ import annotations

from collections.abc import Iterable

from actors.ports import ScoreFact, UserId


class Unapplied:
    """The newest fact of each player, at most `bound` players. A fact is a total: a newer one says all of an older."""

    __slots__ = ("_bound", "_facts")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._facts: dict[UserId, ScoreFact] = {}

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        return f"<Unapplied {len(self._facts)}>"

    @property
    def facts(self) -> tuple[ScoreFact, ...]:
        """All that is kept."""
        return tuple(self._facts.values())

    def clear(self) -> None:
        """The board knows everything."""
        self._facts.clear()

    def keep(self, facts: Iterable[ScoreFact]) -> bool:
        """Remember facts; False if there were too many: then all are forgotten, and the board must read the store."""
        for fact in facts:
            known = self._facts.get(fact.user_id)
            if known is None or fact.version > known.version:
                self._facts[fact.user_id] = fact
        if len(self._facts) <= self._bound:
            return True
        self._facts.clear()
        return False
