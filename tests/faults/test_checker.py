"""The checker finds what it looks for: here it is given logs that are doctored, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checker import (
    Finding,
    LedgerRow,
    Truth,
    false_screens,
    findings_of,
    median_and_most,
    unlike,
    unlike_all,
)
from tests.faults.journal import Operation, Screen, Shown, Told
from tests.faults.purging import Purged, too_early
from tests.faults.truth import DAILY, TOP, period_board
from tests.faults.zone import DAY_S

ADA, BOB = "ada", "bob"
#: Ada 1, 8, 10; Bob 2. Of Ada's points 7 belong to the day.
LEDGER = (
    LedgerRow(ADA, 1, 1, 1, "o1", 10, 10),
    LedgerRow(ADA, 2, 7, 8, "o2", 100, 100),
    LedgerRow(ADA, 3, 2, 10, "o3", 999, 110),
    LedgerRow(BOB, 1, 2, 2, "o4", 10, 20),
)
DAY = (100, 200)
NOW_S = 1_700_000_000
TRUTH = Truth(
    LEDGER, {ADA: 10, BOB: 2, "cid": 0}, {(ADA, "k1"): 1, (ADA, "k3"): 10}, {TOP: (), DAILY: ()}, {DAILY: (DAY,)}
)


def operations() -> list[Operation]:
    """What fits that ledger: told once, told again, never told, and one that never arrived."""
    return [
        Operation(ADA, "k1", "rest", 1, 2, [Told(1, 2, 1, repeated=False), Told(1, 2, 1, repeated=True)]),
        Operation(ADA, "b2", "batch", 7, 1, [Told(8, 1, 1, repeated=False)]),
        Operation(ADA, "k3", "socket", 2, 1),
        Operation(BOB, "b4", "batch", 2, 1, [Told(2, None, None, repeated=False)]),
        Operation(BOB, "k5", "rest", 1, 1),
        Operation(BOB, "k6", "rest", 1, 1, refused="TOKEN_EXPIRED"),
    ]


def kinds(found: list[Finding]) -> set[str]:
    """Of what is wrong."""
    return {finding.kind for finding in found}


def test_a_true_log_is_taken() -> None:
    """Also what is unknown, which counts once or never."""
    assert [] == findings_of(operations(), TRUTH)
    assert [True, True] == [
        operation.is_unknown for operation in operations() if not (operation.told or operation.refused)
    ]


Doctor = Callable[[list[Operation]], object]


@pytest.mark.parametrize(
    ("doctored", "kind"),
    [
        (lambda log: log[1].told.__setitem__(0, Told(9, 1, 1, repeated=False)), "lost"),
        (lambda log: log[3].told.append(Told(3, 1, 1, repeated=True)), "doubled"),
        (lambda log: log[3].told.append(Told(2, 1, 1, repeated=False)), "doubled"),
        (lambda log: log[0].told.append(Told(1, 3, 2, repeated=True)), "order"),
        (lambda log: log.pop(1), "doubled"),
        (lambda log: log.append(Operation(ADA, "k7", "rest", 7, 1, [Told(8, 1, 1, repeated=False)])), "lost"),
        (lambda log: log.__setitem__(1, replace(log[1], points=6)), "sum"),
        (lambda log: log[3].told.__setitem__(0, Told(2, None, None, repeated=True)), "lost"),
        (lambda log: log[3].told.__setitem__(0, Told(2, 1, 2, repeated=False)), "order"),
        (lambda log: log.__setitem__(2, replace(log[2], refused="TOKEN_EXPIRED")), "refused"),
    ],
    ids=[
        "acknowledged and not there",
        "told another total",
        "told twice to be new",
        "told other ranks",
        "a row that nobody asked for",
        "two told of one row",
        "other points",
        "sent once and known",
        "a fall",
        "refused, and it counts",
    ],
)
def test_a_doctored_log_is_found(doctored: Doctor, kind: str) -> None:
    """One answer that does not fit what is on disk."""
    log = operations()
    doctored(log)
    assert kind in kinds(findings_of(log, TRUTH))


@pytest.mark.parametrize(
    ("ledger", "kind"),
    [
        ((*LEDGER, LEDGER[1]), "doubled"),
        (LEDGER[:1] + LEDGER[2:], "lost"),
        ((LEDGER[0], LEDGER[1]._replace(score=9), *LEDGER[2:]), "sum"),
        ((*LEDGER[:2], LEDGER[2]._replace(version=2), LEDGER[3]), "order"),
        ((*LEDGER, LedgerRow(BOB, 2, 5, 7, "o5", 30, 30)), "sum"),
    ],
    ids=["an operation twice", "a row away", "a wrong sum", "a version twice", "a total that is not raised"],
)
def test_a_doctored_ledger_is_found(ledger: tuple[LedgerRow, ...], kind: str) -> None:
    """Whatever was told."""
    assert kind in kinds(findings_of(operations(), replace(TRUTH, ledger=ledger)))


# --- screens ---


def screen(
    *rows: tuple[str, int], channel: str = TOP, version: int = 1, connection: int = 1, epoch: str = "e"
) -> Screen:
    """One that shows these players in this order."""
    shown = tuple(Shown(rank, *row) for rank, row in enumerate(rows, 1))
    return Screen("sue", channel, connection, epoch, version, shown, len(shown))


def test_true_screens_are_taken() -> None:
    """Any total that ever was, and an older one after a new epoch or on another connection."""
    first, second = screen((ADA, 1), (BOB, 0)), screen((ADA, 10), (BOB, 2), ("cid", 0), version=2)
    back = [screen((ADA, 8), (BOB, 0), epoch="f"), screen((ADA, 1), connection=2)]
    of_day = [screen((ADA, 7), channel=DAILY), screen(channel=DAILY)]
    assert [] == list(false_screens([first, second, *back, *of_day], TRUTH))


@pytest.mark.parametrize(
    ("screens", "kind"),
    [
        ([screen((ADA, 3))], "shown"),
        ([screen(("eve", 0))], "shown"),
        ([screen((ADA, 8), channel=DAILY)], "shown"),
        ([screen((BOB, 2), (ADA, 8))], "order"),
        ([screen((ADA, 8)), screen((ADA, 1), version=2)], "shown"),
        ([screen((ADA, 1), version=2), screen((ADA, 8))], "order"),
    ],
    ids=["a total that never was", "a player who never was", "points of another day", "out of order", "a fall", "back"],
)
def test_a_false_screen_is_found(screens: list[Screen], kind: str) -> None:
    """By what it shows, or by what it showed before."""
    assert kind in kinds(list(false_screens(screens, TRUTH)))


def test_a_board_that_is_not_the_true_one_is_found() -> None:
    """A row that is another one, or missing."""
    true = (Shown(1, ADA, 10), Shown(2, BOB, 2))
    assert unlike("it", true, true) is None
    assert [None, None] != [unlike("it", true[:1], true), unlike("it", (true[0], Shown(2, BOB, 1)), true)]
    assert unlike("it", true[:1], true) is not None


def test_one_of_several_boards_may_be_shown() -> None:
    """Where clocks differ; what differs from all of them differs from the likeliest."""
    today, tomorrow = (Shown(1, ADA, 10),), ()
    assert [None, None] == [unlike_all("it", board, [today, tomorrow]) for board in (today, tomorrow)]
    assert unlike("it", (Shown(1, BOB, 2),), today) == unlike_all("it", (Shown(1, BOB, 2),), [today, tomorrow])


def test_the_board_of_a_period_is_a_sort_of_its_gains() -> None:
    """By the time of the action; who was there first stands higher."""
    rows = (*LEDGER, LedgerRow(BOB, 2, 7, 9, "o5", 150, 90))
    assert (Shown(1, BOB, 7), Shown(2, ADA, 7)) == period_board(rows, DAY)


@pytest.mark.parametrize(("age_days", "found"), [(8, []), (5, []), (4, ["purged"]), (0, ["purged"])])
def test_what_goes_before_its_time_is_found(age_days: int, found: list[str]) -> None:
    """A week, less what clocks may differ by; where nothing went nothing is wrong."""
    made_us = (NOW_S - age_days * DAY_S) * 1_000_000
    assert found == [finding.kind for finding in too_early([Purged("key", 2, made_us)], NOW_S)]
    assert [] == list(too_early([Purged("key", 0, NOW_S * 1_000_000)], NOW_S))


def test_the_middle_and_the_most_are_told() -> None:
    """Of an empty list, too."""
    assert ((2.0, 9.0), (0.0, 0.0)) == (median_and_most([9.0, 1.0, 2.0]), median_and_most([]))
