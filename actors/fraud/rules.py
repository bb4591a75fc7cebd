"""The rules: each says in a sentence what is wrong with an action of a player with these habits, or None. Pure.

The habits are those of before the action. Rapid actions, nights, a changed address, manipulated tokens, and the
z-scores of gaps and velocity are document A's; gain, impossible times, repeated patterns, many addresses and a changed
device are what document B asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from actors.fraud.measures import (
    MEASURES,
    SECOND_US,
    in_last_hour,
    is_near,
    last_gaps_s,
    pace_of_run,
)
from actors.fraud.messages import Action, Seen
from actors.fraud.moments import deviation
from actors.fraud.place import Place
from actors.fraud.policy import Policy
from actors.ports import Habits

Rule = Callable[[Action, Place, Habits, Policy], str | None]


def _said_of(seen: Seen, explanation: str) -> Rule:
    """A rule for what is wrong in itself, whatever the player did before."""

    def rule(action: Action, _place: Place, _habits: Habits, _policy: Policy) -> str | None:
        return explanation if action.seen is seen else None

    return rule


def _beyond(name: str, action: Action, place: Place, habits: Habits, policy: Policy) -> float | None:
    """What the rule of that name measures, where it is beyond its bound."""
    measure = MEASURES[name]
    value = measure.of(action, place, habits, policy)
    return value if value is not None and measure.beyond(value, getattr(policy, measure.bound)) else None


def rapid(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """Too many attempts in a few seconds."""
    count = _beyond("rapid", action, place, habits, policy)
    if count is None:
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
    known = "of the last hour" if is_near(action, last_us) else "of longer ago" if last_us else "new"
    return f"The address is not that of the last action, but one that is {known}."


def addresses(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """Many addresses in one hour; told when one is added."""
    count = _beyond("addresses", action, place, habits, policy)
    if count is None:
        return None
    return f"Actions from {count} addresses within an hour; {policy.addresses_per_hour} are usual at most."


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


def gain(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """More points in an hour than anybody should make."""
    gained = _beyond("gain", action, place, habits, policy)
    if gained is None:
        return None
    return f"{gained} points within an hour; {policy.gain_per_hour} are possible for a person."


def pattern(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """Scores as regular as a machine makes them."""
    if _stands_out(action, habits, policy):  # as with nearly every score
        return None
    share = _beyond("pattern", action, place, habits, policy)
    if share is None:
        return None
    gaps = last_gaps_s(action, habits, policy)
    mean = sum(gaps) / len(gaps)
    return f"{len(gaps)} scores in a row, each {mean:.2f} seconds behind the last, give or take {share * mean:.3f}."


def _stands_out(action: Action, habits: Habits, policy: Policy) -> bool:
    """Whether the last gap is so far from the mean that the spread of all is too large, whatever the others are."""
    times, count = habits.scored, policy.pattern_length
    if len(times) < count:
        return True
    mean_us = (action.at_us - times[-count]) / count
    return abs(action.at_us - times[-1] - mean_us) > mean_us * policy.pattern_spread * math.sqrt(count)


def gap(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """A pace, over a run of scores, that is unusual for this player.

    Judged are means of logarithms: single gaps in seconds are so unevenly spread that a deviation of them says nothing.
    """
    z = _beyond("gap", action, place, habits, policy)
    if z is None or (found := pace_of_run(action, habits, policy)) is None:
        return None
    usual = habits.paces.mean
    found_s, usual_s = (math.exp(found), math.exp(usual)) if policy.in_logarithms else (found, usual)
    return (
        f"Unusual time between actions: {found_s:.1f} seconds on average of the last {policy.run_length}; "
        f"{usual_s:.1f} are usual for this player (z = {math.copysign(z, found - usual):.1f})."
    )


def velocity(action: Action, place: Place, habits: Habits, policy: Policy) -> str | None:
    """More points in an hour than this player usually makes."""
    z = _beyond("velocity", action, place, habits, policy)
    if z is None:
        return None
    known = habits.hourly
    return (
        f"Unusually high scoring rate: {in_last_hour(action, habits)} points within an hour; {known.mean:.0f} are "
        f"usual for this player, give or take {deviation(known):.0f} (z = {z:.1f})."
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
