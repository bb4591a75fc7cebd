from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from scoreboard.observe.metrics import CONTENT_TYPE, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample as it is served, by name and labels."""
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_requests_are_counted_and_timed_with_the_documents_buckets() -> None:
    """Name, labels and buckets are those of document A."""
    metrics = Metrics()
    metrics.request("GET", "/api/scores/top", 200, 0.03)
    metrics.request("GET", "/api/scores/top", 200, 0.7)
    found = samples(metrics)
    labels = "method=GET,route=/api/scores/top,status_code=200"
    assert 2.0 == found[f"http_requests_total{{{labels}}}"]
    assert 2.0 == found[f"http_request_duration_seconds_count{{{labels}}}"]
    buckets = re.findall(r'http_request_duration_seconds_bucket\{le="([^"]+)"', metrics.render().decode())
    assert ["0.01", "0.05", "0.1", "0.5", "1.0", "2.0", "5.0", "+Inf"] == buckets


def test_a_made_up_method_makes_no_new_series() -> None:
    """A client cannot fill our memory with labels."""
    metrics = Metrics()
    for number in range(20):
        metrics.request(f"X{number}", "unmatched", 405, 0.001)
    assert 20.0 == samples(metrics)["http_requests_total{method=other,route=unmatched,status_code=405}"]


def test_everything_that_happens_has_its_number() -> None:
    """One call each, one step each."""
    metrics = Metrics()
    metrics.connection_refused("full")
    metrics.actor_began("user")
    metrics.actor_began("user")
    metrics.actor_ended("user")
    metrics.actor_crashed("ledger")
    metrics.mailbox_full("user")
    metrics.scored(3)
    metrics.fraud("rapid_fire", "HIGH")
    metrics.committed(40, 0.004)
    metrics.event_log_dropped(2)
    metrics.audit_lost(4)
    metrics.standing_lost(1)
    metrics.follow_sockets(lambda: 1)
    metrics.follow_tasks(lambda: 40)
    metrics.board_stepped()
    metrics.frames_sent(1000)
    metrics.frames_skipped(7)
    metrics.session_refused("unconnected")
    assert {
        "door_connections_refused_total{reason=full}": 1.0,
        "actor_live{actor=user}": 1.0,
        "actor_crashes_total{actor=ledger}": 1.0,
        "actor_mailbox_full_total{actor=user}": 1.0,
        "score_increments_total{}": 3.0,
        "fraud_detections_total{rule_name=rapid_fire,severity=HIGH}": 1.0,
        "ledger_batch_size_sum{}": 40.0,
        "ledger_commit_seconds_sum{}": 0.004,
        "event_log_dropped_total{}": 2.0,
        "audit_events_lost_total{}": 4.0,
        "standing_lost_total{}": 1.0,
        "websocket_connections_active{}": 1.0,
        "event_loop_tasks{}": 40.0,
        "leaderboard_steps_total{}": 1.0,
        "live_frames_sent_total{}": 1000.0,
        "live_frames_skipped_total{}": 7.0,
        "socketio_sessions_refused_total{reason=unconnected}": 1.0,
    }.items() <= samples(metrics).items()


def test_the_lag_of_the_loop_is_a_histogram() -> None:
    """Turns by their length, cumulative, with a bound at the 25 ms that a tick may take."""
    metrics = Metrics()
    for seconds in (0.0002, 0.001, 0.024, 0.3, 7.0):
        metrics.loop_held(seconds)
    found = samples(metrics)
    turns = {
        bound: found[f"event_loop_lag_seconds_bucket{{le={bound}}}"] for bound in ("0.001", "0.025", "0.5", "+Inf")
    }
    assert {"0.001": 2.0, "0.025": 3.0, "0.5": 4.0, "+Inf": 5.0} == turns
    assert (5.0, 7.3252) == (found["event_loop_lag_seconds_count{}"], found["event_loop_lag_seconds_sum{}"])


def test_two_servers_count_apart() -> None:
    """Each has a registry of its own; nothing is registered globally."""
    one, two = Metrics(), Metrics()
    one.scored()
    assert (1.0, 0.0) == (samples(one)["score_increments_total{}"], samples(two)["score_increments_total{}"])


def test_no_series_is_named_after_a_user() -> None:
    """A player's id would make a series each, for ever."""
    assert "user_id" not in Metrics().render().decode()


def test_it_is_served_as_what_it_is() -> None:
    """The type that goes with the text format."""
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
