"""What the bench makes of the server's own numbers."""

from __future__ import annotations

import math

from scoreboard.observe.metrics import Metrics
from tests.bench.numbers import parsed


def test_lag_is_read_as_the_server_tells_it() -> None:
    """The difference of two readings, its percentiles by the bounds of their buckets."""
    metrics = Metrics()
    metrics.loop_held(2.0)
    before = parsed(metrics.render().decode())
    for seconds in [0.0005] * 998 + [0.018, 0.026]:
        metrics.loop_held(seconds)
    lag = parsed(metrics.render().decode()).lag.since(before.lag)
    assert (1000, 1, 20.0, 30.0) == (lag.turns, lag.above(25.0), lag.percentile(99.9), lag.percentile(100))
    assert 1000 == sum(lag.bars())
    assert (998, 1, 1) == (lag.bars()[0], lag.bars()[5], lag.bars()[7])


def test_a_turn_beyond_all_buckets_is_not_forgotten() -> None:
    """Then the longest has no bound."""
    metrics = Metrics()
    metrics.loop_held(2.0)
    assert math.inf == parsed(metrics.render().decode()).lag.percentile(100)


def test_counters_are_summed_over_their_labels() -> None:
    """Of interest here is how many, not which."""
    metrics = Metrics()
    metrics.connection_refused("full")
    metrics.connection_refused("silent")
    assert 2.0 == parsed(metrics.render().decode()).values["door_connections_refused_total"]
