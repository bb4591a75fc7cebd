from __future__ import annotations

import copy
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.fraud import moments
from actors.fraud.judge import MOST_PLACES, MOST_RECENT, judge, learn, times_untold
from actors.fraud.measures import in_last_hour
from actors.fraud.messages import Seen
from actors.fraud.place import NOWHERE_KNOWN, Place
from actors.fraud.policy import Policy
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
    assert 1.0 < moments.z_score(seen, 12.0, least=5, least_deviation=1.0) < 2.0
    assert 0.0 == moments.z_score(Moments(1, 5.0), 99.0, least=1, least_deviation=1.0)


@pytest.mark.parametrize(("count", "value", "z"), [(3, 9.925, 2.5758), (11, 4.5869, 3.2905), (61, 3.4602, 3.2905)])
def test_what_few_values_say_is_as_rare_as_what_many_do(count: int, value: float, z: float) -> None:
    """Student's distance of a probability becomes the normal one's, up and down; the table says which."""
    spread = Moments(count, 0.0, float(count - 1))  # a deviation of 1
    found = moments.z_score(spread, value * math.sqrt(1 + 1 / count), least=2, least_deviation=0.1)
    assert z == pytest.approx(found, rel=0.03)
    assert -found == moments.z_score(spread, -value * math.sqrt(1 + 1 / count), least=2, least_deviation=0.1)


def test_an_hour_counts_with_the_most_that_was_made_in_one() -> None:
    """Of any sixty minutes that end in it: what is compared with it is the last sixty minutes."""
    habits = Habits()
    for minute in (50, 55, 65, 70, 130):
        learn(action(minute * 60, points=10), NOWHERE_KNOWN, habits, POLICY)
    assert (2, 30.0) == (habits.hourly.count, habits.hourly.mean)


def test_a_break_begins_anew_what_is_known_of_a_sitting() -> None:
    """Its length and the run of paces; what is known of full runs stays."""
    habits = Habits()
    for number in range(POLICY.run_length + 5):
        learn(action(number * 20), NOWHERE_KNOWN, habits, POLICY)
    assert (1, 4, NOON_US + 20_000_000) == (habits.paces.count, habits.run.count, habits.since_us + 20_000_000)
    assert math.log(20) == pytest.approx(habits.paces.mean)
    learn(action(16 * 20 + POLICY.break_s), NOWHERE_KNOWN, habits, POLICY)
    assert (1, 0, 16 * 20 + POLICY.break_s) == (
        *(habits.paces.count, habits.run.count),
        (habits.since_us - NOON_US) / 1_000_000,
    )


def test_what_failed_lately_is_a_share() -> None:
    """Of attempts of late, not of all there ever were."""
    habits = Habits()
    for _ in range(200):
        learn(action(0, Seen.REFUSED), NOWHERE_KNOWN, habits, POLICY)
    assert habits.failed == pytest.approx(1.0, abs=0.01)
    for number in range(60):
        learn(action(number), NOWHERE_KNOWN, habits, POLICY)
    assert 0.05 < habits.failed < 0.2


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
    assert sorted(habits.recent) == habits.recent
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


def test_what_is_no_longer_recent_is_forgotten() -> None:
    """Attempts of longer ago than rules look at; of places the one that was left longest ago, not the first known."""
    habits = Habits()
    for number in range(MOST_PLACES + 1):
        learn(action(number), Place("home" if number in (0, MOST_PLACES - 1) else str(number)), habits, POLICY)
    assert "home" in habits.addresses
    assert [NOON_US + number * 1_000_000 for number in range(MOST_PLACES - 9, MOST_PLACES + 1)] == habits.recent
    learn(action(MOST_PLACES + 1), Place("new"), habits, POLICY)
    assert ("home" in habits.addresses, "1" in habits.addresses) == (True, False)


def test_all_points_of_the_last_sixty_minutes_count_and_no_others() -> None:
    """However many fell into one minute; those of a clock that was ahead are forgotten with it."""
    habits, minute = Habits(), NOON_US // 60_000_000
    for at_s in (0, 20, 40, 59 * 60):
        learn(action(at_s, points=10), NOWHERE_KNOWN, habits, POLICY)
    assert 50 == in_last_hour(action(59 * 60 + 30, points=10), habits)
    assert 20 == in_last_hour(action(60 * 60, points=10), habits)
    learn(action(60 * 60, points=10), NOWHERE_KNOWN, habits, POLICY)
    assert {minute + 59: 10, minute + 60: 10} == habits.points
    learn(action(0, points=10), NOWHERE_KNOWN, habits, POLICY)
    assert {minute: 10} == habits.points


def test_an_hour_is_remembered_by_its_best_though_less_follows_in_it() -> None:
    """Points of the hour before count with it as long as they are of the last sixty minutes."""
    habits = Habits()
    for at_s, points in ((-1800, 100), (600, 1), (3000, 1)):
        learn(action(at_s, points=points), NOWHERE_KNOWN, habits, POLICY)
    assert 101 == habits.hour_points


def test_so_many_scores_are_remembered_as_make_a_pattern() -> None:
    """What is kept of a player stays small."""
    habits = Habits()
    for number in range(POLICY.pattern_length + 5):
        learn(action(number * 20), NOWHERE_KNOWN, habits, POLICY)
    assert POLICY.pattern_length == len(habits.scored)


def test_the_same_is_told_once_a_while_with_how_often() -> None:
    """Each rule for itself."""
    habits, minute_us = Habits(), 60_000_000
    times = [times_untold("rapid", habits, NOON_US + second * 1_000_000, minute_us) for second in range(0, 121, 20)]
    assert [1, 0, 0, 3, 0, 0, 3] == times
    assert 1 == times_untold("gap", habits, NOON_US, minute_us)


def test_scores_of_one_moment_are_a_short_gap_apart() -> None:
    """As are those that come in another order; neither makes a pace that no other can be compared with."""
    for policy, pace in ((POLICY, math.log(0.1)), (Policy(in_logarithms=False), 0.0)):
        habits = Habits()
        for at_s in (10, 10, 5):
            learn(action(at_s), NOWHERE_KNOWN, habits, policy)
        assert 2 == habits.run.count
        assert pace == pytest.approx(habits.run.mean)
