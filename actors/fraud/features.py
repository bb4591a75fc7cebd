"""A player's habits as numbers from 0 to 1, by which all players are compared. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from actors.fraud.measures import HOUR_US, in_last_hour
from actors.fraud.messages import Action
from actors.fraud.moments import deviation
from actors.ports import Habits

DAY_US = 24 * HOUR_US
BREAK_US = HOUR_US // 2
#: What counts as the most there is: of seconds between two scores, of hours without a break, of points in an hour, of
#: the deviation of the logarithms of paces, of addresses in a day.
MOST_GAP_S, MOST_HOURS, MOST_POINTS, MOST_SPREAD, MOST_PLACES = 600.0, 24.0, 100_000.0, 0.5, 16.0


def features_of(action: Action, habits: Habits) -> dict[str, float]:
    """How somebody plays, given the habits of before the action."""
    near = sum(at_us > action.at_us - DAY_US for at_us in habits.addresses.values())
    return {
        "pace": _part(habits.paces.mean, math.log(MOST_GAP_S)),
        "evenness": 1 - _part(deviation(habits.paces), MOST_SPREAD),
        "sitting": _part(math.log1p(hours_played(action, habits)), math.log1p(MOST_HOURS)),
        "gain": _part(math.log1p(in_last_hour(action, habits)), math.log1p(MOST_POINTS)),
        "hours": _part(_entropy(habits.hours), math.log(len(habits.hours))),
        "places": _part(math.log1p(near), math.log1p(MOST_PLACES)),
        "failed": _part(habits.failed, 1.0),
    }


def hours_played(action: Action, habits: Habits) -> float:
    """For how long somebody has played without a break; no time if the action follows one."""
    if not habits.scored or action.at_us - habits.scored[-1] >= BREAK_US:
        return 0.0
    return max(0, action.at_us - habits.since_us) / HOUR_US


def said_of(name: str, action: Action, habits: Habits) -> str:
    """A feature in words."""
    words = {
        "pace": f"a score each {math.exp(habits.paces.mean):.0f} seconds",
        "evenness": f"a pace that varies by {deviation(habits.paces):.0%}",
        "sitting": f"{hours_played(action, habits):.1f} hours without a break of half an hour",
        "gain": f"{in_last_hour(action, habits)} points within an hour",
        "hours": f"active in {sum(count > 0 for count in habits.hours)} hours of the day",
        "places": f"{len(habits.addresses)} addresses lately",
        "failed": f"{habits.failed:.0%} of the last attempts failed",
    }
    return words[name]


def _part(value: float, most: float) -> float:
    return min(1.0, max(0.0, value / most))


def _entropy(counts: Sequence[int]) -> float:
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count) if total else 0.0
