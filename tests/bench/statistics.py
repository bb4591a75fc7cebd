"""Percentiles of samples; medians of rounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

__all__ = ["curve", "median", "percentile", "spread_ms"]

CURVE_POINTS = 200


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values: one that was really seen. `nan` without any."""
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(int(rank), 1) - 1]


def curve(ordered: Sequence[float]) -> list[float]:
    """Sorted values thinned to a plot's resolution, the least and the greatest kept."""
    if len(ordered) <= CURVE_POINTS:
        return list(ordered)
    last = len(ordered) - 1
    return [ordered[round(step * last / (CURVE_POINTS - 1))] for step in range(CURVE_POINTS)]


def spread_ms(nanoseconds: Iterable[int]) -> dict[str, Any]:
    """What a load generator tells of durations, in milliseconds: `median`, `p99` and `curve`."""
    ordered = sorted(each / 1e6 for each in nanoseconds)
    return {"median": percentile(ordered, 50), "p99": percentile(ordered, 99), "curve": curve(ordered)}
