"""Medians, percentiles and marks."""

from __future__ import annotations

from tests.bench.figure import Figure, Mark, Row
from tests.bench.statistics import CURVE_POINTS, curve, percentile


def test_a_percentile_is_a_value_that_was_seen() -> None:
    """Nearest rank: nothing between two samples is made up."""
    values = [float(number) for number in range(1, 101)]
    assert [1.0, 50.0, 99.0, 100.0] == [percentile(values, percent) for percent in (0, 50, 99, 100)]
    assert 3.0 == percentile([3.0], 99)


def test_a_thinned_curve_keeps_both_ends() -> None:
    """The plot shows the worst sample too."""
    thin = curve([float(number) for number in range(10_000)])
    assert (CURVE_POINTS, 0.0, 9999.0) == (len(thin), thin[0], thin[-1])


def test_a_mark_is_reached_by_the_median_of_the_rounds() -> None:
    """One bad round does not decide; a figure without a mark reaches nothing."""
    most, least = Mark(10.0), Mark(10.0, at_least=True)
    assert (True, False) == tuple(Row(Figure("x", "x", "us", mark), (9.0, 9.5, 99.0)).reached for mark in (most, least))
    assert Row(Figure("x", "x", "us"), (1.0,)).reached is None
