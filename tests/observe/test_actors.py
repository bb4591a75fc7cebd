from __future__ import annotations

import io
import json

from scoreboard.observe.actors import ActorWatch
from scoreboard.observe.logs import make_logger
from scoreboard.observe.metrics import Metrics
from tests.observe.test_metrics import samples


def test_an_actor_that_restarts_is_one_living_actor() -> None:
    """Two incarnations, one actor; gone once, whether or not it was about to restart."""
    metrics = Metrics()
    watch = ActorWatch(metrics, make_logger(stream=io.StringIO()))
    watch.activated("user/1")
    watch.activated("user/2")
    watch.crashed("user/1", RuntimeError("x"), 0.1)
    watch.activated("user/1")
    assert 2.0 == samples(metrics)["actor_live{actor=user}"]
    watch.crashed("user/1", RuntimeError("x"), None)
    watch.ended("user/1")
    watch.ended("user/1")
    assert 1.0 == samples(metrics)["actor_live{actor=user}"]
    assert 2.0 == samples(metrics)["actor_crashes_total{actor=user}"]


def test_what_clients_can_cause_is_counted_and_not_logged() -> None:
    """A flood of requests must not become a flood of lines."""
    metrics, stream = Metrics(), io.StringIO()
    watch = ActorWatch(metrics, make_logger(stream=stream))
    watch.mailbox_full("user/1")
    watch.expired("user/1")
    watch.dropped("ledger")
    found = samples(metrics)
    assert 1.0 == found["actor_mailbox_full_total{actor=user}"]
    assert 1.0 == found["actor_messages_dropped_total{actor=user,reason=expired}"]
    assert 1.0 == found["actor_messages_dropped_total{actor=ledger,reason=stopped}"]
    assert "" == stream.getvalue()


def test_a_crash_is_logged_with_its_traceback() -> None:
    """Which actor, what happened, and when it comes back."""
    stream = io.StringIO()
    watch = ActorWatch(Metrics(), make_logger(stream=stream))
    try:
        raise RuntimeError("the state is odd")
    except RuntimeError as error:
        watch.crashed("user/1", error, 0.5)
    watch.stop_timed_out("user/1")
    crash, warning = map(json.loads, stream.getvalue().splitlines())
    assert ("actor_crashed", "error", "user/1", 0.5) == tuple(
        crash[key] for key in ("event", "level", "actor", "restarts_in_s")
    )
    assert "RuntimeError: the state is odd" in crash["exception"]
    assert ("actor_stop_timed_out", "warning") == (warning["event"], warning["level"])


def test_what_waits_in_mailboxes_is_asked_for_when_it_is_wanted() -> None:
    """By the names of single actors and of directories."""
    watch, waiting = ActorWatch(Metrics(), make_logger(stream=io.StringIO())), [3]
    watch.opened("ledger", lambda: waiting[0], 20)
    watch.opened("user", lambda: 0, 100)
    waiting[0] = 4
    assert {"ledger": (4, 20), "user": (0, 100)} == watch.backlogs
