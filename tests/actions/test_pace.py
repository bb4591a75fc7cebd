from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.actions import pace
from actors.actions.messages import ActionTooOften
from actors.ports import ActionKind

SECOND_US = 1_000_000
moments = st.lists(st.integers(0, 300).map(lambda s: s * SECOND_US), max_size=30)


@given(moments, st.integers(1, 5), st.integers(1, 100))
def test_no_window_ever_holds_more_than_may_be(times: list[int], most: int, window_s: int) -> None:
    """In whatever order the proofs come; and what is refused would have been too many."""
    kind = ActionKind("RUN", 1, most=most, window_s=float(window_s))
    granted: list[int] = []
    for moment_us in times:
        refusal = pace.judge(kind, moment_us, granted)
        with_it = [*granted, moment_us]
        assert (refusal is not None) == (fullest(with_it, window_s) > most)
        if refusal is None:
            granted = with_it


@given(moments, st.integers(1, 100))
def test_no_two_are_closer_than_the_least_time(times: list[int], least_s: int) -> None:
    """Whichever comes first."""
    kind = ActionKind("RUN", 1, least_s=float(least_s))
    granted: list[int] = []
    for moment_us in times:
        if pace.judge(kind, moment_us, granted) is None:
            granted.append(moment_us)
    ordered = sorted(granted)
    assert all(later - sooner >= least_s * SECOND_US for sooner, later in pairwise(ordered))


def test_who_has_no_pace_is_asked_nothing() -> None:
    """A type without least time and without a limit costs the store no look at earlier ones."""
    assert pace.since_us(ActionKind("RUN", 1), 5) is None
    assert 100 * SECOND_US == pace.since_us(ActionKind("RUN", 1, least_s=30, most=1, window_s=50), 150 * SECOND_US)
    assert 120 * SECOND_US == pace.since_us(ActionKind("RUN", 1, least_s=30), 150 * SECOND_US)


def test_who_did_it_more_often_while_that_counted_is_not_refused_for_it_later() -> None:
    """Rules that became stricter look at the windows of what is done now, and at no others."""
    kind = ActionKind("RUN", 1, most=1, window_s=10)
    before_us = [0, 0, SECOND_US]
    assert pace.judge(kind, 11 * SECOND_US, before_us) is None
    assert pace.judge(kind, 10 * SECOND_US, before_us[:2]) is None
    assert isinstance(pace.judge(kind, 10 * SECOND_US, before_us), ActionTooOften)


def test_a_refusal_says_when_it_counts_again() -> None:
    """When as few are left in the window as may be beside one more; never sooner than after a second."""
    kind = ActionKind("RUN", 1, most=2, window_s=100)
    for moment_us, wait_s in ((50 * SECOND_US, 60.0), (110 * SECOND_US - 1, 1.0)):
        refusal = pace.judge(kind, moment_us, [20 * SECOND_US, 0, 10 * SECOND_US])
        assert isinstance(refusal, ActionTooOften)
        assert wait_s == refusal.retry_after_s


def fullest(times: list[int], window_s: int) -> int:
    """The most that any window of that length holds, told the plain way."""
    return max(sum(begin <= other < begin + window_s * SECOND_US for other in times) for begin in times)
