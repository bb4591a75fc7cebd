"""How well cheats were told from honest players: precision and recall, by rule and by what they are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from actors.fraud.policy import Policy
from scoreboard.rehearsal.kinds import CHEATS
from scoreboard.rehearsal.trace import Trace

STATISTICS = frozenset({"gap", "velocity"})
LEARNER = frozenset({"unusual"})


@dataclass(frozen=True, slots=True)
class Line:
    """Who was found by something: of so many cheats and so many honest players. Those who were found, not findings."""

    name: str
    cheats_found: int
    honest_found: int
    cheats: int
    honest: int

    @property
    def precision(self) -> float | None:
        """Of those who were found, the share that cheats; None if nobody was."""
        found = self.cheats_found + self.honest_found
        return self.cheats_found / found if found else None

    @property
    def recall(self) -> float:
        """Of those who cheat, the share that was found."""
        return self.cheats_found / self.cheats if self.cheats else 0.0

    @property
    def false_per_thousand(self) -> float:
        """Of a thousand honest players so many are found."""
        return 1000 * self.honest_found / self.honest if self.honest else 0.0


class Judged(NamedTuple):
    """A player of that kind, and the rules that found something with it."""

    kind: str
    rules: frozenset[str]


def judged(traces: Iterable[Trace], policy: Policy) -> list[Judged]:
    """By the bounds of this policy."""
    return [Judged(trace.kind, trace.found_by(policy)) for trace in traces]


def line(name: str, rules: Collection[str], players: Sequence[Judged]) -> Line:
    """Whom any of these rules found."""
    cheats = [player for player in players if player.kind in CHEATS]
    honest = [player for player in players if player.kind not in CHEATS]
    return Line(name, _found(rules, cheats), _found(rules, honest), len(cheats), len(honest))


def parts(rules: Iterable[str]) -> dict[str, set[str]]:
    """Rules, statistics and the learner apart, where there are any, and all of them together."""
    on = set(rules)
    apart = {"rules": on - STATISTICS - LEARNER, "statistics": on & STATISTICS, "learner": on & LEARNER}
    return {**{name: part for name, part in apart.items() if part}, "all together": on}


@dataclass(frozen=True, slots=True)
class Spread:
    """A line over all mixes together, and of each by itself."""

    whole: Line
    each: Sequence[Line]

    def range(self, value: Callable[[Line], float | None]) -> tuple[float, float] | None:
        """The least and the most there is of it; None if there is none."""
        found = [number for line in self.each if (number := value(line)) is not None]
        return (min(found), max(found)) if found else None


def spread(name: str, rules: Collection[str], mixes: Sequence[Sequence[Judged]]) -> Spread:
    """Whom any of these rules found, in all mixes and in each."""
    whole = line(name, rules, [player for players in mixes for player in players])
    return Spread(whole, [line(name, rules, players) for players in mixes])


def _found(rules: Collection[str], players: Sequence[Judged]) -> int:
    return sum(not player.rules.isdisjoint(rules) for player in players)
