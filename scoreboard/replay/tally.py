"""How far a replay is: the counted points, the matches and teams they belong to, and how fast they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from scoreboard.replay.plan import Plan

RATE_WINDOW_S = 5.0
SHORTEST_WINDOW_S = 0.5  # the first points would seem very fast otherwise


@dataclass(frozen=True, slots=True)
class Scoreline:
    """What a progress display shows."""

    day: str
    matches_played: int
    matches: int
    points: int
    points_total: int
    cycles_per_s: float
    leader: str
    leader_points: int


class Tally:
    """Counts points as they become sure. `counted` are those of earlier runs, which say nothing of the speed."""

    def __init__(self, plan: Plan, counted: Iterable[int]) -> None:
        self._plan = plan
        self._since: float | None = None
        self._recent: deque[float] = deque()
        self._left = [sum(len(numbers) for _, numbers in fixture.points) for fixture in plan.fixtures]
        self._day = str(plan.matches[0].day)
        self.scores = dict.fromkeys(plan.teams, 0)
        self.points = 0
        self.matches_played = 0
        for point in sorted(counted):
            self._add(point)

    def __repr__(self) -> str:
        return f"<Tally {self._day} {self.points}/{len(self._plan.point_match)} points>"

    def count(self, point: int, now: float) -> None:
        """One more point is sure. Each is counted once; the caller sees to that."""
        self._since = now if self._since is None else self._since
        self._recent.append(now)
        self._add(point)

    def is_played(self, match: int) -> bool:
        """Whether all points of a match are sure, by the match's place in the plan."""
        return not self._left[match]

    def scoreline(self, now: float) -> Scoreline:
        """The state as shown. The speed is that of the last seconds."""
        while self._recent and self._recent[0] <= now - RATE_WINDOW_S:
            self._recent.popleft()
        window_s = min(RATE_WINDOW_S, max(now - (now if self._since is None else self._since), SHORTEST_WINDOW_S))
        leader = max(self.scores, key=lambda team: (self.scores[team], team))
        return Scoreline(
            day=self._day,
            matches_played=self.matches_played,
            matches=len(self._plan.fixtures),
            points=self.points,
            points_total=len(self._plan.point_match),
            cycles_per_s=len(self._recent) / window_s,
            leader=leader,
            leader_points=self.scores[leader],
        )

    def _add(self, point: int) -> None:
        match = self._plan.point_match[point]
        self._day = str(self._plan.matches[match].day)
        self._left[match] -= 1
        self.matches_played += not self._left[match]
        self.scores[self._plan.point_team[point]] += 1
        self.points += 1
