"""What the checker finds in a copy of the database, and of those who were banned; it is given doctored ones."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.faults.checker import LedgerRow
from tests.faults.guests import Guest, unlike_told
from tests.faults.hands import HANDS, wrong_copy
from tests.faults.journal import Operation, Told
from tests.faults.nemesis import FAULTS, drawn
from tests.faults.sessions import message_in, packet_of

ADA, BOB = "ada", "bob"
LEDGER = (
    LedgerRow(ADA, 1, 1, 1, "o1", 10, 10),
    LedgerRow(BOB, 1, 2, 2, "o2", 20, 20),
    LedgerRow(ADA, 3, 7, 8, "o3", 30, 30),
    LedgerRow(BOB, 2, 2, 4, "o4", 40, 40),
)
TOLD = [(Operation(ADA, "k1", "rest", 1, 1, [Told(1, 1, 1, repeated=False)]), 1)]
TOTALS = {ADA: 8, BOB: 2, "cid": 0}


def test_a_beginning_of_the_ledger_is_a_true_copy() -> None:
    """Of each player another one; what was not acknowledged before may be in it, or not."""
    assert [] == list(wrong_copy(TOLD, LEDGER[:3], TOTALS, LEDGER))
    assert [] == list(wrong_copy(TOLD, LEDGER[:1], {ADA: 1, BOB: 0}, LEDGER))
    assert [] == list(wrong_copy([], (), {ADA: 0}, LEDGER))


@pytest.mark.parametrize(
    ("copied", "totals", "kinds"),
    [
        ((LEDGER[1],), {ADA: 0, BOB: 2}, ["lost"]),
        ((LEDGER[1], LEDGER[2]), {ADA: 7, BOB: 2}, ["lost", "sum"]),
        ((LEDGER[0]._replace(points=2),), {ADA: 2}, ["sum"]),
        ((LEDGER[0],), {ADA: 2}, ["sum"]),
    ],
    ids=["what was told is away", "a row before others is away", "a row is another one", "a total"],
)
def test_a_doctored_copy_is_found(copied: tuple[LedgerRow, ...], totals: dict[str, int], kinds: list[str]) -> None:
    """One thing at a time."""
    assert kinds == [finding.kind for finding in wrong_copy(TOLD, copied, totals, LEDGER)]


def test_who_does_not_stand_as_was_told_is_found() -> None:
    """Of whom nobody knows how, it does not matter."""
    guest = Guest("g", "guest1", banned=True)
    assert [] == list(unlike_told([guest, Guest("h", "guest2", banned=None)], {"g": True, "h": False}))
    assert ["lost"] == [finding.kind for finding in unlike_told([guest], {"g": False})]
    assert ["lost"] == [finding.kind for finding in unlike_told([replace(guest, banned=None)], {})]


def test_packets_of_a_session_are_what_they_say() -> None:
    """An event there and back, a ping, and what is for the session alone."""
    assert {"event": "subscribe", "data": {"channel": "c"}} == message_in(packet_of("subscribe", {"channel": "c"}))
    assert {"event": "ping"} == message_in("2")
    assert message_in("6") is None


def test_a_hand_that_fails_where_nothing_else_is_wrong_would_be_told() -> None:
    """Some rounds have one step alone, of the hands too; and each fault is drawn by somebody."""
    rounds = [drawn(Random(seed), list(FAULTS), 5.0) for seed in range(1_500)]
    assert set(FAULTS) == {step.name for steps in rounds for step in steps}
    assert set(HANDS) <= {steps[0].name for steps in rounds if len(steps) == 1}
