"""What is wrong with a server, and how that is told."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from scoreboard.server.operating.status_page import page, spoken
from scoreboard.server.operating.verdict import wrong


def worker(number: int = 1, **changed: Any) -> dict[str, Any]:
    """One that is well, but for what is changed."""
    well: dict[str, Any] = {
        "worker": number,
        "pid": 10 + number,
        "state": "ready",
        "restarts": 0,
        "failures": 0,
        "last": None,
        "up_s": 90.0,
        "connections": 3,
        "live": 2,
        "actors": {"user": 7, "ledger": 1},
        "mailboxes": {"ledger": {"waiting": 0, "capacity": 100}},
        "loop": {"turns": 9, "p99_s": 0.001, "worst_s": 0.005},
        "behind": {"batches": 0, "seconds": 0.0},
        "postgres": {"away_s": 0.0, "open": 3, "idle": 2, "most": 8, "waiting": 0},
        "redis": {"away_s": 0.0},
    }
    return well | changed


def status(*workers: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A server of so many."""
    whole = {"url": "http://here/", "data": "/data", "version": "1", "up_s": 100.0, "wanted": len(workers)}
    return {**whole, "workers": [*workers], **changed}


TRIED_AGAIN = "it failed too often, and is tried again within a minute, or at once by scoreboard reload --worker 1"


def test_nothing_is_wrong_with_a_server_whose_workers_are_well() -> None:
    """One or several."""
    assert [] == wrong(status(worker(0)))
    assert [] == wrong(status(worker(1), worker(2)))


def test_what_troubles_the_parent_of_the_workers_is_told_as_its_own() -> None:
    """It is none of the workers'."""
    assert ["the parent of the workers: its log is silent"] == wrong(status(worker(1), troubles=["its log is silent"]))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"state": "silent", "last": "worker 1 ended with SIGKILL"},
            "worker 1: silent; it is stopped, or its event loop hangs; after 30 s of that it is killed and replaced",
        ),
        (
            {"state": "left alone", "last": "why"},
            f"worker 1: left alone (why); {TRIED_AGAIN}",
        ),
        ({"unanswered": ["postgres"]}, "worker 1: postgres does not answer"),
        ({"state": "failed", "last": "worker 1 ended with SIGKILL"}, "worker 1: failed (worker 1 ended with SIGKILL)"),
        ({"troubles": ["tls.pem: it ends in 9 hours: renew it"]}, "worker 1: tls.pem: it ends in 9 hours: renew it"),
        ({"redis": {"away_s": 7.2}}, "worker 1: redis has been away for 7 s"),
        ({"redis": {"away_s": 7.2, "why": "refused"}}, "worker 1: redis has been away for 7 s (refused)"),
        (
            {"postgres": {"away_s": 3.0, "open": 0, "idle": 0, "most": 8, "waiting": 2}},
            "worker 1: postgres has been away for 3 s",
        ),
        ({"behind": {"batches": 9, "seconds": 5.5}}, "worker 1: 6 s behind other workers"),
        (
            {"loop": {"turns": 9, "p99_s": None, "worst_s": None}},
            "worker 1: one turn of its event loop in a hundred takes more than 250 ms",
        ),
        (
            {"mailboxes": {"ledger": {"waiting": 51, "capacity": 100}}},
            "worker 1: 51 messages wait for ledger, of which one takes 100",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_said_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    """It names the worker, and comes among the first lines of the page."""
    told = status(worker(1, **changed), worker(2))
    assert sentence in wrong(told)
    assert f"  ! {sentence}" in list(page(told, wrong(told)))


def test_a_worker_that_is_missing_and_what_is_under_way_are_told() -> None:
    """Before the server has any worker, too."""
    assert ["0 of 2 workers are ready"] == wrong(status(wanted=2))
    assert ["a reload is under way"] == wrong(status(worker(1), under_way="reload"))


def test_the_page_shows_all_workers_with_what_is_known_of_them() -> None:
    """Of one that has no process nothing but that."""
    gone = {"worker": 2, "state": "away", "pid": None, "up_s": None, "restarts": 4, "failures": 3, "last": "x"}
    busy = worker(1)
    busy["mailboxes"] = {"ledger": {"waiting": 12, "capacity": 100}}
    lines = list(page(status(busy, gone, url=None), ["x"]))
    assert lines[0] == "NOT WELL: not listening yet, up 1 min 40 s, version 1, data /data"
    [row] = [line for line in lines if line.startswith("1 ")]
    assert "1 ready 11 1 min 30 s 0 0 3 2 1/5 ms 0 (0 s) 1/8 used, 0 wait" == " ".join(row.split())
    [row] = [line for line in lines if line.startswith("2 ")]
    assert "2 away - - 4 3 - - - - -" == " ".join(row.split())
    assert ["there", "user 7, 1 single ones in each worker", "ledger 12 of 100"] == [line[10:] for line in lines[-3:]]


def test_a_store_that_is_away_is_shown_for_how_long() -> None:
    """As long as the worker says that has missed it longest."""
    away = deepcopy(worker(1))
    away["redis"]["away_s"], away["postgres"]["away_s"] = 75.0, 4.0
    lines = list(page(status(away, worker(2)), []))
    assert "redis     away for 1 min 15 s" in lines
    assert any("away 4 s" in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (1, "1 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90_061, "1 d 1 h")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    """Nobody reads 90061 s at night."""
    assert text == spoken(seconds)
