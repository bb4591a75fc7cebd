"""How long turns took lately."""

from __future__ import annotations

import math

from scoreboard.observe.lag import MARKS, Lag, RecentLag


def test_lag_is_told_of_what_came_since_the_oldest_mark() -> None:
    """Counts only grow; what was slow a minute ago is forgotten."""
    counts = [0, 0, 0]
    lag = RecentLag(lambda: tuple(counts), (0.1, 1.0))
    assert Lag(0, 0.0, 0.0) == lag.now()
    counts[0], counts[2] = 98, 2
    assert Lag(100, math.inf, math.inf) == lag.now()
    for _ in range(MARKS):
        lag.mark()
    counts[0] += 99
    counts[1] += 1
    assert Lag(100, 0.1, 1.0) == lag.now()
