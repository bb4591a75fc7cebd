from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.actions import pace
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


def fullest(times: list[int], window_s: int) -> int:
    """The most that any window of that length holds, told the plain way."""
    return max(sum(begin <= other < begin + window_s * SECOND_US for other in times) for begin in times)
