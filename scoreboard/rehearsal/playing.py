"""How one generated player plays: when it sits down, how long, and what it tries there. By chance, from a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from actors.fraud.messages import Seen
from actors.ports import Source

DAY_S = 86_400.0
HOUR_S = 3600.0
#: Who gets up between two sittings is away for so long at least.
BREAK_S = 1800.0


class Attempt(NamedTuple):
    """A player tries to score, `at_s` after the beginning; a server would give so many points if it counted."""

    at_s: float
    seen: Seen
    points: int
    source: Source


@dataclass(frozen=True, slots=True)
class Style:
    """How somebody plays. Lengths and gaps are spread like a logarithm's normal distribution round their medians.

    Sittings begin round the hours `begins` (of a day of 24), `a_day` of them. Between two scores lie `gap_s` seconds,
    spread by `gap_sigma`; a program's `steady` gaps are that long, give or take that share. `points` are drawn from.
    """

    a_day: float = 1.5
    begins: tuple[float, ...] = (12.5, 17.0, 18.5, 19.5, 20.0, 20.5, 21.0)
    sitting_s: float = 1500.0
    sitting_sigma: float = 0.6
    gap_s: float = 25.0
    gap_sigma: float = 0.7
    steady: float | None = None
    points: tuple[int, ...] = (5, 10, 10, 25)


def sittings(style: Style, rng: Random, hours: float) -> list[tuple[float, float]]:
    """When somebody sits down and gets up, in seconds, in order and apart."""
    found: list[tuple[float, float]] = []
    for day in range(math.ceil(hours / 24)):
        count = _whole(style.a_day, rng)
        begins = sorted(rng.choice(style.begins) * HOUR_S + rng.gauss(0, 2400) for _ in range(count))
        for begin in begins:
            since = max(day * DAY_S + begin, found[-1][1] + BREAK_S if found else 0.0)
            until = min(since + spread(style.sitting_s, style.sitting_sigma, rng), hours * HOUR_S)
            if since < until:
                found.append((since, until))
    return found


def scores(style: Style, rng: Random, sitting: tuple[float, float], source: Source) -> Iterator[Attempt]:
    """What somebody does in one sitting."""
    at_s, until = sitting
    while at_s < until:
        yield Attempt(at_s, Seen.SCORED, rng.choice(style.points), source)
        at_s += gap(style, rng)


def gap(style: Style, rng: Random) -> float:
    """To the next score."""
    if style.steady is not None:
        return style.gap_s * (1 + rng.uniform(-style.steady, style.steady))
    return max(1.0, spread(style.gap_s, style.gap_sigma, rng))


def spread(median: float, sigma: float, rng: Random) -> float:
    """A value round that median."""
    return median * math.exp(rng.gauss(0, sigma))


def _whole(mean: float, rng: Random) -> int:
    """So many on average."""
    return int(mean) + (rng.random() < mean % 1)
