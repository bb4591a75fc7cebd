"""What the checker finds of those who were erased; it is given doctored tables and screens."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from tests.faults.checker import LedgerRow
from tests.faults.journal import Screen, Shown
from tests.faults.leavers import Leaver, Left, seen_again, too_much_left
from tests.faults.players import Player
from tests.faults.truth import TOP, period_board

NEUTRAL = Left("erased-a", closed=True, sessions=0, keys=0, rows=3)


def leaver(rows: int | None = 3, gone_s: float = 100.0) -> Leaver:
    """Ada, who was erased with so many scores."""
    return Leaver(Player("a", "ada", "", ""), is_asked=True, gone_s=gone_s, rows=rows)


def kinds(left: Mapping[str, Left], **of: float) -> list[str]:
    """Of what is found."""
    return [finding.kind for finding in too_much_left([leaver(**of)], left)]  # type: ignore[arg-type]


def test_who_is_erased_leaves_a_row_and_the_scores() -> None:
    """Of whom nobody was told so, anything may be there."""
    assert [] == kinds({"a": NEUTRAL})
    assert [] == kinds({"a": Left("ada", closed=False, sessions=1, keys=1, rows=9)}, gone_s=math.inf)


@pytest.mark.parametrize(
    ("left", "kind"),
    [
        ({}, "lost"),
        ({"a": NEUTRAL._replace(rows=2)}, "lost"),
        ({"a": NEUTRAL._replace(rows=4)}, "erased"),
        ({"a": NEUTRAL._replace(name="ada")}, "erased"),
        ({"a": NEUTRAL._replace(closed=False)}, "erased"),
        ({"a": NEUTRAL._replace(sessions=1)}, "erased"),
        ({"a": NEUTRAL._replace(keys=1)}, "erased"),
    ],
    ids=["its row away", "a score away", "a score after", "a name", "on the boards", "a session", "a key"],
)
def test_what_is_left_too_much_or_too_little_is_found(left: Mapping[str, Left], kind: str) -> None:
    """One thing at a time."""
    assert [kind] == kinds(left)


def test_scores_are_counted_when_somebody_looks_first() -> None:
    """Where that could not be done at once."""
    ada = leaver(rows=None)
    assert [] == list(too_much_left([ada], {"a": NEUTRAL}))
    assert ["erased"] == [each.kind for each in too_much_left([ada], {"a": NEUTRAL._replace(rows=4)})]


def test_who_is_shown_again_is_found() -> None:
    """Of those who were erased before the round began."""
    screen = Screen("spectator", TOP, 1, "e", 1, (Shown(1, "a", 3), Shown(2, "b", 2)), 2)
    assert [] == list(seen_again([screen], frozenset()))
    assert ["erased"] == [finding.kind for finding in seen_again([screen], frozenset({"a"}))]


def test_who_is_hidden_is_on_no_board() -> None:
    """The others move up."""
    ledger = (LedgerRow("a", 1, 3, 3, "o1", 10, 10), LedgerRow("b", 1, 2, 2, "o2", 20, 20))
    assert (Shown(1, "b", 2),) == period_board(ledger, (0, 100), {"a"})
