"""Mean and spread of a stream of values, after Welford. Pure."""

from __future__ import annotations

import math

from actors.ports import Moments


def add(moments: Moments, value: float) -> None:
    """One more value."""
    moments.count += 1
    distance = value - moments.mean
    moments.mean += distance / moments.count
    moments.squares += distance * (value - moments.mean)


def deviation(moments: Moments) -> float:
    """The standard deviation of the values so far, 0 while there are less than two."""
    return math.sqrt(max(0.0, moments.squares) / (moments.count - 1)) if moments.count > 1 else 0.0


def z_score(moments: Moments, value: float, *, least: float, least_deviation: float) -> float:
    """How many standard deviations a value lies above the mean; 0 while less than `least` values are known.

    A spread below `least_deviation` counts as that: nobody is as regular as a few values may look. And of few values
    mean and spread are known only roughly, so that one farther off is as likely: the number told is that of a normal
    distribution which is as rare as what was found is in Student's (by Wallace's approximation).
    """
    if moments.count < max(2.0, least):
        return 0.0
    free = moments.count - 1
    distance = (value - moments.mean) / max(deviation(moments), least_deviation) / math.sqrt(1 + 1 / moments.count)
    rarity = math.sqrt(free * math.log1p(distance * distance / free)) * (8 * free + 1) / (8 * free + 3)
    return math.copysign(rarity, distance)
