"""Which boards must hear of which facts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import BoardScope, ScoreFact


class Hearers:
    """Some facts, and what each board must hear of them, looked up by country only once for all boards.

    Scores concern the boards of all players and of their own player's country. What adds nothing may be a change of
    country, and then the board that is left must hear of it too; nobody here knows which one that is.
    """

    def __init__(self, facts: Sequence[ScoreFact]) -> None:
        self._facts = tuple(facts)
        self._changes = any(map(_may_leave, facts))
        self._by_country: dict[str | None, list[ScoreFact]] | None = None

    def of(self, scope: BoardScope) -> tuple[ScoreFact, ...]:
        """What the board of this scope must hear, in order."""
        if scope.country is None:
            return self._facts
        if self._changes:
            return tuple(fact for fact in self._facts if fact.country == scope.country or _may_leave(fact))
        if self._by_country is None:
            self._by_country = {}
            for fact in self._facts:
                self._by_country.setdefault(fact.country, []).append(fact)
        return tuple(self._by_country.get(scope.country, ()))


def _may_leave(fact: ScoreFact) -> bool:
    return not fact.points and fact.version > 0
