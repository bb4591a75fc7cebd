"""How well cheats were told from honest players: precision and recall, by rule and by what they are made of. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from scoreboard.rehearsal.stage import Player

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


def line(name: str, rules: Collection[str], players: Sequence[Player]) -> Line:
    """Whom any of these rules found."""
    cheats = [player for player in players if player.kind.cheats]
    honest = [player for player in players if not player.kind.cheats]
    return Line(name, _found(rules, cheats), _found(rules, honest), len(cheats), len(honest))


def groups(rules: Iterable[str], players: Sequence[Player]) -> list[Line]:
    """Rules, statistics and the learner apart, then all of them together, of those among these rules."""
    on = set(rules)
    parts = {"rules": on - STATISTICS - LEARNER, "statistics": on & STATISTICS, "learner": on & LEARNER}
    return [line(name, part, players) for name, part in parts.items() if part] + [line("all together", on, players)]


def _found(rules: Collection[str], players: Sequence[Player]) -> int:
    return sum(any(player.found[rule] for rule in rules) for player in players)
