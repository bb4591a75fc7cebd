"""How far a player went: what rules compare with the bounds of a policy, so that bounds can be compared as well. Pure.

The habits are those of before the action. None is where there is nothing to measure.
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

from actors.fraud.messages import Action, Seen
from actors.fraud.moments import z_score
from actors.fraud.place import Place
from actors.fraud.policy import Policy
from actors.ports import Habits

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
MINUTE_US = 60 * SECOND_US

#: A spread is never taken for less than this part of the mean.
LEAST_SPREAD = 0.05
#: Shorter gaps are alike.
LEAST_GAP_S = 0.1


def attempts(action: Action, _place: Place, habits: Habits, policy: Policy) -> int:
    """Within a few seconds, this one included."""
    since_us = action.at_us - round(policy.rapid_s * SECOND_US)
    return 1 + bisect_right(habits.recent, action.at_us) - bisect_right(habits.recent, since_us)


def places(action: Action, place: Place, habits: Habits, _policy: Policy) -> int | None:
    """Addresses within an hour, where this action adds one."""
    if place.address is None or is_near(action, habits.addresses.get(place.address)):
        return None
    return 1 + sum(is_near(action, at_us) for at_us in habits.addresses.values())


def is_near(action: Action, at_us: int | None) -> bool:
    """Within the last hour."""
    return at_us is not None and at_us > action.at_us - HOUR_US


def gained(action: Action, _place: Place, habits: Habits, _policy: Policy) -> int | None:
    """Points within an hour, where this action brings some."""
    return in_last_hour(action, habits) if action.points else None


def in_last_hour(action: Action, habits: Habits) -> int:
    """The points of the last hour, those of this action included."""
    since, total = (action.at_us - HOUR_US) // MINUTE_US, action.points
    for minute, points in habits.points.items():  # a loop, as this is asked several times a score
        if minute > since:
            total += points
    return total


def unevenness(action: Action, _place: Place, habits: Habits, policy: Policy) -> float | None:
    """By which share of their mean the times between the last scores deviate from it."""
    gaps = last_gaps_s(action, habits, policy)
    mean = sum(gaps) / len(gaps) if gaps else 0.0
    return float((sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5) / mean if mean > 0 else None


def last_gaps_s(action: Action, habits: Habits, policy: Policy) -> list[float]:
    """The times between as many scores as make a pattern; nothing if there were fewer."""
    if action.seen is not Seen.SCORED or len(habits.scored) < policy.pattern_length:
        return []
    times = [*habits.scored[-policy.pattern_length :], action.at_us]
    return [(later - earlier) / SECOND_US for earlier, later in pairwise(times)]


def oddness(action: Action, _place: Place, habits: Habits, policy: Policy) -> float | None:
    """How many standard deviations the pace of a run of scores lies from the player's mean, to either side."""
    mean = pace_of_run(action, habits, policy)
    if mean is None:
        return None
    least = LEAST_SPREAD * (1.0 if policy.in_logarithms else max(0.2, habits.paces.mean))
    return abs(z_score(habits.paces, mean, least=policy.runs_known, least_deviation=least))


def pace_of_run(action: Action, habits: Habits, policy: Policy) -> float | None:
    """The mean of the paces of a run that this score makes full."""
    pace = pace_of(action, habits, policy)
    if action.seen is not Seen.SCORED or pace is None or habits.run.count + 1 < policy.run_length:
        return None
    return (habits.run.mean * habits.run.count + pace) / policy.run_length


def pace_of(action: Action, habits: Habits, policy: Policy) -> float | None:
    """What is judged of the time since the last score; None if there was none, or a break."""
    if not habits.scored:
        return None
    gap_s = max(0, action.at_us - habits.scored[-1]) / SECOND_US
    if gap_s >= policy.break_s:
        return None
    return math.log(max(gap_s, LEAST_GAP_S)) if policy.in_logarithms else gap_s


def rise(action: Action, _place: Place, habits: Habits, policy: Policy) -> float | None:
    """How many standard deviations the points of the last hour lie above the player's mean."""
    if action.points == 0:
        return None
    least = max(1.0, habits.hourly.mean * LEAST_SPREAD)
    return z_score(habits.hourly, in_last_hour(action, habits), least=policy.hours_known, least_deviation=least)


class Measure(NamedTuple):
    """A rule finds something where `of` an action is `beyond` the `bound`, a field of the policy."""

    bound: str
    of: Callable[[Action, Place, Habits, Policy], float | None]
    beyond: Callable[[float, float], bool] = operator.gt


#: By rule, those that have a bound.
MEASURES: Mapping[str, Measure] = {
    "rapid": Measure("rapid_most", attempts),
    "addresses": Measure("addresses_per_hour", places),
    "gain": Measure("gain_per_hour", gained),
    "pattern": Measure("pattern_spread", unevenness, operator.le),
    "gap": Measure("gap_z", oddness),
    "velocity": Measure("velocity_z", rise),
}
