"""What is spread over time for each of many."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from scoreboard.leaky_buckets import LeakyBuckets


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 5)), max_size=60))
def test_no_key_has_more_than_its_rate_and_burst_in_any_time(asked: list[tuple[float, int]]) -> None:
    """Whenever it is asked for: what comes between any two moments is bounded, and in the order of asking."""
    buckets, now, came = LeakyBuckets(per_s=10, burst=8), 0.0, list[tuple[float, int]]()
    for pause_s, amount in asked:
        now += pause_s
        came.append((now + buckets.wait_for("a", amount, now, within_s=math.inf), amount))
    assert came == sorted(came, key=lambda piece: piece[0])
    for first in range(len(came)):
        for last in range(first, len(came)):
            between_s = came[last][0] - came[first][0]
            assert sum(amount for _, amount in came[first + 1 : last + 1]) <= 10 * between_s + 8 + 1e-6


def test_what_would_wait_too_long_counts_for_nothing() -> None:
    """Who asks for less after that waits as if it had not been asked for."""
    buckets = LeakyBuckets(per_s=10, burst=1)
    assert (0.0, 0.9) == (buckets.wait_for("a", 1, 0.0, 1.0), buckets.wait_for("a", 9, 0.0, 1.0))
    assert 9.9 == round(buckets.wait_for("a", 90, 0.0, 1.0), 6)
    assert 1.0 == round(buckets.wait_for("a", 1, 0.0, 1.0), 6)


def test_keys_do_not_wait_for_each_other_and_an_infinite_rate_spreads_nothing() -> None:
    """A bucket that is empty is none."""
    buckets = LeakyBuckets(per_s=1, burst=0)
    assert (5.0, 1.0) == (buckets.wait_for("a", 5, 0.0, 9.0), buckets.wait_for("b", 1, 0.0, 9.0))
    assert 2 == len(buckets)
    assert 0.0 == LeakyBuckets(per_s=math.inf, burst=0).wait_for("a", 10**9, 0.0, 0.0)
