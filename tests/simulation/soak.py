"""Many seeds, one after the other, and what is told of them in the end."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tests.simulation.simulation import Report, simulate

#: So many seeds are one piece of work, and one dot of the progress.
PIECE = 25


class Outcome(NamedTuple):
    """Of one seed: what it did, or what was found."""

    seed: int
    report: Report | None
    failure: str = ""


def outcome_of(seed: int) -> Outcome:
    """Run it."""
    try:
        return Outcome(seed, simulate(seed))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
        return Outcome(seed, None, "".join(traceback.format_exception(error)))


def outcomes_of(seeds: Sequence[int]) -> list[Outcome]:
    """Run some."""
    return [outcome_of(seed) for seed in seeds]


def pieces(first: int, seeds: int) -> Iterator[range]:
    """All seeds, some at once."""
    for start in range(first, first + seeds, PIECE):
        yield range(start, min(start + PIECE, first + seeds))


def told(outcomes: Sequence[Outcome], seconds: float) -> Iterator[str]:
    """The table."""
    reports = [each.report for each in outcomes if each.report is not None]
    failed = [each.seed for each in outcomes if each.report is None]
    harms = Counter(kind for report in reports for kind in report.plan.kinds)
    level = sorted(report.level_s for report in reports) or [0.0]
    rows = {
        "seeds": len(outcomes),
        "broken": len(failed),
        "steps of tasks": sum(report.steps for report in reports),
        "scores": sum(report.scores for report in reports),
        "attempts of which nothing was heard": sum(report.lost for report in reports),
        "level again after, s (median, max)": f"{median(level):g}, {level[-1]:g}",
        "seconds of this machine": f"{seconds:.0f}",
        **{f"runs with {kind}": count for kind, count in sorted(harms.items())},
        "broken seeds": " ".join(map(str, failed)) or "none",
    }
    for name, value in rows.items():
        yield f"{name:<40} {value}"
