from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.ledger.known import MOST_AHEAD, KnownBatches
from actors.ports import ChainId, Stretch

ONE, TWO = ChainId("one"), ChainId("two")


def test_numbers_in_order_leave_nothing_missing() -> None:
    """A chain that was not there at the beginning begins with 1."""
    known = KnownBatches({ONE: 7})
    assert not known.take(ONE, (8, 9))
    assert not known.take(TWO, (1,))
    assert {ONE: 9, TWO: 1} == known.upto
    assert {} == known.missing({ONE: 9, TWO: 1})


def test_a_number_that_is_left_out_is_a_gap_until_it_comes() -> None:
    """And what came before it need not come again."""
    known = KnownBatches({ONE: 7})
    assert known.take(ONE, (9, 10))
    assert (True, {ONE: 7}) == (known.has_gap(ONE), known.upto)
    assert {ONE: Stretch(7, 10)} == known.missing({ONE: 10})
    assert not known.take(ONE, (8,))
    assert (False, {ONE: 10}) == (known.has_gap(ONE), known.upto)


def test_a_gap_that_was_made_up_for_is_none() -> None:
    """What is known behind it joins."""
    known = KnownBatches({})
    known.take(ONE, (3, 5))
    known.pass_by({ONE: 2})
    assert ({ONE: 3}, True) == (known.upto, known.has_gap(ONE))
    known.pass_by({ONE: 4})
    assert ({ONE: 5}, False) == (known.upto, known.has_gap(ONE))
    known.pass_by({ONE: 1})
    assert {ONE: 5} == known.upto


def test_what_is_remembered_behind_a_gap_has_a_bound() -> None:
    """The rest is missing too, then."""
    known = KnownBatches({})
    known.take(ONE, range(2, 3 * MOST_AHEAD))
    known.take(ONE, (1,))
    assert {ONE: MOST_AHEAD + 1} == known.upto


@given(st.lists(st.integers(1, 12)))
def test_whatever_comes_it_is_known_how_far_all_has_come(numbers: list[int]) -> None:
    """Late, twice, or not at all."""
    known, heard = KnownBatches({}), set[int]()
    for number in numbers:
        heard.add(number)
        gap = known.take(ONE, (number,))
        upto = next(each for each in range(14) if each + 1 not in heard)
        assert (upto, any(each > upto for each in heard)) == (known.upto[ONE], gap)
