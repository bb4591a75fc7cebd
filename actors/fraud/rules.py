"""The rules: each says in a sentence what is wrong with an action of a player with these habits, or None. Pure.

The habits are those of before the action. Rapid actions, nights, a changed address, manipulated tokens, and the
z-scores of gaps and velocity are document A's; gain, impossible times, repeated patterns, many addresses and a changed
device are what document B asks for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from actors.fraud.messages import Action, Seen
from actors.fraud.moments import deviation, z_score
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

Rule = Callable[[Action, Place, Habits, Policy], str | None]


def _said_of(seen: Seen, explanation: str) -> Rule:
    """A rule for what is wrong in itself, whatever the player did before."""

    def rule(action: Action, _place: Place, _habits: Habits, _policy: Policy) -> str | None:
        return explanation if action.seen is seen else None

    return rule


def rapid(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """Too many attempts in a few seconds."""
    since_us = action.at_us - round(policy.rapid_s * SECOND_US)
    count = 1 + len(habits.recent) - bisect_right(habits.recent, since_us)
    if count <= policy.rapid_most:
        return None
    return f"{count} actions within {policy.rapid_s:g} seconds; a person makes {policy.rapid_most} at most."


def hours(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """Active at night."""
    if action.seen is not Seen.SCORED:
        return None
    now = datetime.fromtimestamp(action.at_us / SECOND_US, policy.zone)
    first, last = policy.night
    if not first <= now.hour <= last:
        return None
    share = habits.hours[now.hour] / habits.actions if habits.actions else 0.0
    return f"Active at {now:%H:%M}, between {first} and {last} o'clock; {share:.0%} of earlier scores fell in it."


def address(action: Action, place: Place, habits: Habits, _policy: Policy) -> str | None:
    """Another address than last time."""
    if place.address is None or habits.address in (None, place.address):
        return None
    last_us = habits.addresses.get(place.address)
    known = "of the last hour" if _is_near(action, last_us) else "of longer ago" if last_us else "new"
    return f"The address is not that of the last action, but one that is {known}."


def addresses(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """Many addresses in one hour; told when one is added."""
    if place.address is None or _is_near(action, habits.addresses.get(place.address)):
        return None
    count = 1 + sum(_is_near(action, at_us) for at_us in habits.addresses.values())
    if count <= policy.addresses_per_hour:
        return None
    return f"Actions from {count} addresses within an hour; {policy.addresses_per_hour} are usual at most."


def _is_near(action: Action, at_us: int | None) -> bool:
    return at_us is not None and at_us > action.at_us - HOUR_US


def device(_action: Action, place: Place, habits: Habits, _policy: Policy) -> str | None:
    """Another program or device than last time."""
    if place.agent is None or habits.agent in (None, place.agent):
        return None
    moved = place.address is not None and habits.address not in (None, place.address)
    return "The device is not that of the last action" + (", nor is the address." if moved else ".")


def country(_action: Action, place: Place, habits: Habits, _policy: Policy) -> str | None:
    """Another country than last time, by the address."""
    if place.country is None or habits.country in (None, place.country):
        return None
    return f"The address is in {place.country}; that of the last action was in {habits.country}."


def travel(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """In another country sooner than most journeys take."""
    last_us = habits.addresses.get(habits.address or "")
    if last_us is None or place.address == habits.address or country(action, place, habits, policy) is None:
        return None
    took_s = max(0, action.at_us - last_us) / SECOND_US
    if took_s >= policy.travel_s:
        return None
    return (
        f"The address is in {place.country}; {took_s / 60:.0f} minutes ago it was in {habits.country}: few people "
        "travel that quickly."
    )


def gain(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """More points in an hour than anybody should make."""
    if action.points == 0:
        return None
    gained = in_last_hour(action, habits)
    if gained <= policy.gain_per_hour:
        return None
    return f"{gained} points within an hour; {policy.gain_per_hour} are possible for a person."


def in_last_hour(action: Action, habits: Habits) -> int:
    """The points of the last hour, those of this action included."""
    since = (action.at_us - HOUR_US) // MINUTE_US
    return action.points + sum(points for minute, points in habits.points.items() if minute > since)


def pattern(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """Scores as regular as a machine makes them."""
    if action.seen is not Seen.SCORED or len(habits.scored) < policy.pattern_length:
        return None
    times = [*habits.scored[-policy.pattern_length :], action.at_us]
    if _stands_out(times, policy.pattern_spread):  # as with nearly every score
        return None
    gaps = [(later - earlier) / SECOND_US for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    if mean <= 0 or spread > mean * policy.pattern_spread:
        return None
    return f"{len(gaps)} scores in a row, each {mean:.2f} seconds behind the last, give or take {spread:.3f}."


def _stands_out(times: Sequence[int], most_spread: float) -> bool:
    """Whether the last gap is so far from the mean that the spread of all is too large, whatever the others are."""
    count = len(times) - 1
    mean_us = (times[-1] - times[0]) / count
    return abs(times[-1] - times[-2] - mean_us) > mean_us * most_spread * math.sqrt(count)


def gap(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """A pace, over a run of scores, that is unusual for this player.

    Judged are means of logarithms: single gaps in seconds are so unevenly spread that a deviation of them says nothing.
    """
    pace = pace_of(action, habits, policy)
    if action.seen is not Seen.SCORED or pace is None or habits.run.count + 1 < policy.run_length:
        return None
    mean = (habits.run.mean * habits.run.count + pace) / policy.run_length
    known = habits.paces
    least = LEAST_SPREAD * (1.0 if policy.in_logarithms else max(0.2, known.mean))
    z = z_score(known, mean, least=policy.runs_known, least_deviation=least)
    if abs(z) <= policy.gap_z:
        return None
    found_s, usual_s = (math.exp(mean), math.exp(known.mean)) if policy.in_logarithms else (mean, known.mean)
    return (
        f"Unusual time between actions: {found_s:.1f} seconds on average of the last {policy.run_length}; "
        f"{usual_s:.1f} are usual for this player (z = {z:.1f})."
    )


def pace_of(action: Action, habits: Habits, policy: Policy) -> float | None:
    """What is judged of the time since the last score; None if there was none, or a break."""
    if not habits.scored:
        return None
    gap_s = max(0, action.at_us - habits.scored[-1]) / SECOND_US
    if gap_s >= policy.break_s:
        return None
    return math.log(max(gap_s, LEAST_GAP_S)) if policy.in_logarithms else gap_s


def velocity(action: Action, _place: Place, habits: Habits, policy: Policy) -> str | None:
    """More points in an hour than this player usually makes."""
    if action.points == 0 or habits.hourly.count < policy.hours_known:
        return None
    gained, known = in_last_hour(action, habits), habits.hourly
    least = max(1.0, known.mean * LEAST_SPREAD)
    z = z_score(known, gained, least=policy.hours_known, least_deviation=least)
    if z <= policy.velocity_z:
        return None
    return (
        f"Unusually high scoring rate: {gained} points within an hour; {known.mean:.0f} are usual for this player, "
        f"give or take {deviation(known):.0f} (z = {z:.1f})."
    )


RULES: Mapping[str, Rule] = {
    "forged": _said_of(Seen.FORGED, "An action token that would be good now was signed by somebody else."),
    "unknown_key": _said_of(
        Seen.UNKNOWN_KEY,
        "An action token that would be good now names a key that this server does not have: it was made up, or the "
        "server has lost that key.",
    ),
    "honeypot": _said_of(Seen.HONEYPOT, "An action that nobody is ever told of was said to be completed."),
    "stolen": _said_of(Seen.STOLEN, "An action token was used that was made for another player."),
    "false_proof": _said_of(Seen.FALSE_PROOF, "A proof of an action was not made by the game's server."),
    "too_soon": _said_of(Seen.TOO_SOON, "An action was completed sooner or more often than it can be."),
    "rapid": rapid,
    "hours": hours,
    "address": address,
    "addresses": addresses,
    "device": device,
    "country": country,
    "travel": travel,
    "gain": gain,
    "pattern": pattern,
    "gap": gap,
    "velocity": velocity,
}
