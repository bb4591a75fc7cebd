from __future__ import annotations

import copy
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.fraud import moments
from actors.fraud.judge import MOST_PLACES, MOST_RECENT, judge, learn, times_untold
from actors.fraud.messages import Seen
from actors.fraud.place import Place
from actors.ports import Habits, Moments
from tests.fraud.acts import NOON_US, POLICY, action

PLACES = st.builds(Place, *[st.sampled_from([None, *"abcdefghijklmnopqrstuvwxyz"])] * 2, st.sampled_from([None, "DE"]))
ACTIONS = st.builds(action, st.floats(-1e6, 1e6), st.sampled_from(Seen), st.integers(0, 10**9))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_mean_and_deviation_are_those_of_all_values_together(values: list[float]) -> None:
    """Though each was seen once."""
    seen = Moments()
    for value in values:
        moments.add(seen, value)
    assert seen.mean == pytest.approx(statistics.fmean(values), abs=1e-3)
    assert moments.deviation(seen) == pytest.approx(statistics.stdev(values), abs=1e-2, rel=1e-6)


def test_few_values_say_nothing_and_equal_ones_not_too_much() -> None:
    """A z-score is 0 before enough is known, and finite afterwards."""
    seen = Moments()
    for _ in range(5):
        moments.add(seen, 10.0)
    assert 0.0 == moments.z_score(seen, 99.0, least=6, least_deviation=1.0)
    assert 2.0 == moments.z_score(seen, 12.0, least=5, least_deviation=1.0)


@given(st.lists(st.tuples(ACTIONS, PLACES), max_size=150))
def test_any_history_is_judged_and_remembered_within_bounds(history: list[tuple[object, Place]]) -> None:
    """Whatever order the times come in; to judge changes nothing, and every verdict says something."""
    habits = Habits()
    for one, place in history:
        before = copy.deepcopy(habits)
        verdicts = judge(one, place, habits, POLICY)  # type: ignore[arg-type]
        assert before == habits
        assert all(len(found.explanation) > 20 for found in verdicts)
        learn(one, place, habits, POLICY)  # type: ignore[arg-type]
    assert len(habits.recent) <= MOST_RECENT
    assert len(habits.addresses) <= MOST_PLACES
    assert len(habits.points) <= 61
    assert len(habits.scored) <= POLICY.pattern_length
    assert sum(habits.hours) == habits.actions


def test_what_is_remembered_has_a_bound() -> None:
    """A flood of attempts at one moment, and a new address each time."""
    habits = Habits()
    for number in range(MOST_RECENT + 10):
        learn(action(0, Seen.REFUSED), Place(str(number)), habits, POLICY)
    assert (MOST_RECENT, MOST_PLACES) == (len(habits.recent), len(habits.addresses))
    assert str(MOST_RECENT + 9) in habits.addresses


def test_the_same_is_told_once_a_while_with_how_often() -> None:
    """Each rule for itself."""
    habits, minute_us = Habits(), 60_000_000
    times = [times_untold("rapid", habits, NOON_US + second * 1_000_000, minute_us) for second in range(0, 121, 20)]
    assert [1, 0, 0, 3, 0, 0, 3] == times
    assert 1 == times_untold("gap", habits, NOON_US, minute_us)
