"""From an action and a player's habits to verdicts, and what habits learn from it. Synchronous, without stores."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime

from actors.fraud import moments
from actors.fraud.crowd import RULE as UNLIKE
from actors.fraud.crowd import Crowd
from actors.fraud.measures import HOUR_US, MINUTE_US, SECOND_US, in_last_hour, pace_of
from actors.fraud.messages import Action, Seen
from actors.fraud.place import Place
from actors.fraud.policy import Policy, Verdict
from actors.fraud.rules import RULES
from actors.ports import Habits, Moments

#: So many times and places are remembered of one player.
MOST_RECENT = 100
MOST_PLACES = 16
#: So many attempts make what failed lately.
FAILED_OVER = 30


def consider(action: Action, place: Place, habits: Habits, policy: Policy, crowd: Crowd) -> list[Verdict]:
    """What is wrong with an action, by rules, by the player's own habits, and beside all others."""
    found = judge(action, place, habits, policy)
    unlike = crowd.look(action, habits)
    return found if unlike is None else [*found, unlike]


def judge(action: Action, place: Place, habits: Habits, policy: Policy) -> list[Verdict]:
    """What is wrong with an action, given the habits of before it. Pure."""
    found = []
    for rule, ruling in policy.rulings.items():
        explanation = None if rule == UNLIKE else RULES[rule](action, place, habits, policy)
        if explanation is not None:
            found.append(Verdict(rule, ruling.severity, ruling.consequence, explanation))
    return found


def learn(action: Action, place: Place, habits: Habits, policy: Policy) -> None:
    """Take an action into the habits, whatever was found: habits change, and what is usual then is no finding."""
    _remember_attempt(action, habits, policy)
    _remember_place(action, place, habits)
    if action.seen is Seen.SCORED:
        _remember_score(action, habits, policy)


def times_untold(rule: str, habits: Habits, at_us: int, again_us: int) -> int:
    """How often a rule has found this since it was told last, if it is to be told now; 0 if it is not.

    The same of the same player is told once in `again_us`, with how often.
    """
    until_us, held_back = habits.told.get(rule, (0, 0))
    if at_us < until_us:
        habits.told[rule] = until_us, held_back + 1
        return 0
    habits.told[rule] = at_us + again_us, 0
    return held_back + 1


def _remember_attempt(action: Action, habits: Habits, policy: Policy) -> None:
    since_us = action.at_us - round(policy.rapid_s * SECOND_US)
    recent = habits.recent
    recent = recent[bisect_right(recent, since_us) : bisect_right(recent, action.at_us)]  # which keeps them in order
    habits.recent = [*recent, action.at_us][-MOST_RECENT:]
    habits.failed += ((action.seen is not Seen.SCORED) - habits.failed) / FAILED_OVER


def _remember_place(action: Action, place: Place, habits: Habits) -> None:
    habits.agent = place.agent or habits.agent
    habits.country = place.country or habits.country
    if place.address is None:
        return
    habits.address = place.address
    known = habits.addresses
    known.pop(place.address, None)
    known[place.address] = action.at_us  # the last used stands last
    if len(known) > MOST_PLACES:
        del known[next(iter(known))]


def _remember_score(action: Action, habits: Habits, policy: Policy) -> None:
    habits.actions += 1
    habits.hours[datetime.fromtimestamp(action.at_us / SECOND_US, policy.zone).hour] += 1
    _remember_pace(action, habits, policy)
    habits.scored = [*habits.scored, action.at_us][-policy.pattern_length :]
    _remember_points(action, habits)


def _remember_pace(action: Action, habits: Habits, policy: Policy) -> None:
    pace = pace_of(action, habits, policy)
    if pace is None:
        habits.run, habits.since_us = Moments(), action.at_us
        return
    moments.add(habits.run, pace)
    if habits.run.count >= policy.run_length:
        moments.add(habits.paces, habits.run.mean)
        habits.run = Moments()


def _remember_points(action: Action, habits: Habits) -> None:
    """An hour counts with the most of any sixty minutes that ended in it, as it is compared with the last sixty."""
    gained = in_last_hour(action, habits)
    minute, hour = action.at_us // MINUTE_US, action.at_us // HOUR_US
    if minute not in habits.points:
        since = minute - 60
        habits.points = {each: points for each, points in habits.points.items() if since < each <= minute}
    habits.points[minute] = habits.points.get(minute, 0) + action.points
    if hour != habits.hour:
        if habits.hour_points:
            moments.add(habits.hourly, habits.hour_points)
        habits.hour, habits.hour_points = hour, 0
    habits.hour_points = max(habits.hour_points, gained)
