from __future__ import annotations

import random

from actors.fraud.crowd import LEARN_EVERY_US, LOOK_EVERY_US, LOOKS, LOOKS_AT_ONCE, RUNS_KNOWN, Crowd
from actors.fraud.features import features_of, said_of
from actors.fraud.judge import consider, learn
from actors.fraud.messages import Seen
from actors.fraud.place import NOWHERE_KNOWN
from actors.fraud.policy import Policy, Ruling
from actors.ports import Consequence, Habits, Moments, Severity
from scoreboard.watch.trees import Trees
from tests.fakes import FakeLearner
from tests.fraud.acts import NOON_US, POLICY, action

LOOK_S, LEARN_S = LOOK_EVERY_US / 1e6, LEARN_EVERY_US / 1e6


def known(pace: float = 3.0, spread: float = 0.2) -> Habits:
    """Of somebody who has played a while."""
    runs = RUNS_KNOWN + 3
    return Habits(
        actions=100, paces=Moments(runs, pace, spread**2 * (runs - 1)), since_us=NOON_US - 60_000_000, scored=[NOON_US]
    )


def test_who_plays_as_hardly_anybody_does_is_found() -> None:
    """By what most of them do, after some looks, with what it is in words; the others are not."""
    crowd, rng = Crowd(Trees(1), POLICY), random.Random(1)
    for _ in range(1200):
        crowd.begin()
        crowd.look(action(), known(rng.gauss(3.2, 0.3), abs(rng.gauss(0.2, 0.03))))
    usual, odd = known(), known(1.9, 0.001)
    odd.hours = [10] * 24
    odd.failed, odd.since_us = 0.5, NOON_US - 20 * 3_600_000_000
    found = None
    for number in range(LOOKS):
        usual.scored = odd.scored = [NOON_US + round(number * LOOK_S * 1e6) - 5_000_000]
        crowd.begin()
        assert crowd.look(action(number * LOOK_S), usual) is None
        found = crowd.look(action(number * LOOK_S), odd)
        assert (found is not None) == (number == LOOKS - 1)
    assert found is not None
    assert ("unusual", Severity.MEDIUM, Consequence.LOG) == found[:3]
    assert found.explanation.startswith("Plays as hardly anybody does (0.9")
    assert "20.8 hours without a break of half an hour" in found.explanation


def test_who_comes_back_from_a_break_has_not_played_through_it() -> None:
    """The first score after it begins another sitting, though the habits are still those of the one before."""
    habits = known()
    habits.since_us = NOON_US - 3_600_000_000
    for later_s, hours in ((1799, "1.5"), (1800, "0.0"), (86_400, "0.0")):
        assert f"{hours} hours without a break of half an hour" == said_of("sitting", action(later_s), habits)
        assert (hours == "0.0") == (features_of(action(later_s), habits)["sitting"] == 0)
    assert 0 == features_of(action(), Habits())["sitting"]


def test_players_are_looked_at_seldom_and_learnt_from_more_seldom() -> None:
    """So that who plays all day is not what is usual; nor is anybody whose pace is not known, or who does not score."""
    learner, habits = FakeLearner(), known()
    crowd = Crowd(learner, POLICY)
    for second in range(0, int(LEARN_S * 2), 60):
        crowd.begin()
        crowd.look(action(second), habits)
    assert 2 == learner.learnt
    assert habits.looked_us == NOON_US + round((2 * LEARN_S - LOOK_S) * 1e6)
    for other, one in ((Habits(), action()), (known(), action(0, Seen.REFUSED))):
        crowd.begin()
        crowd.look(one, other)
        assert 0 == other.looked_us
    assert 2 == learner.learnt


def test_looks_of_a_batch_have_a_bound() -> None:
    """Who was passed over is looked at when it plays again."""
    crowd, everybody = Crowd(FakeLearner(), POLICY), [known() for _ in range(LOOKS_AT_ONCE + 3)]
    crowd.begin()
    for habits in everybody:
        crowd.look(action(), habits)
    assert 3 == sum(habits.looked_us == 0 for habits in everybody)
    crowd.begin()
    for habits in everybody:
        crowd.look(action(1), habits)
    assert all(habits.looked_us for habits in everybody)


def test_without_a_learner_or_a_ruling_nobody_is_looked_at() -> None:
    """And everything else is judged as ever."""
    without = Policy(rulings={"rapid": Ruling(Severity.HIGH, Consequence.FLAG)})
    for crowd in (Crowd(None, POLICY), Crowd(FakeLearner(), without)):
        habits = known()
        crowd.teach(habits)
        assert crowd.look(action(), habits) is None
        assert 0 == habits.looked_us
        for number in range(8):
            learn(action(number), NOWHERE_KNOWN, habits, POLICY)
        assert ["rapid"] == [each.rule for each in consider(action(8), NOWHERE_KNOWN, habits, without, crowd)]


def test_hours_are_the_more_evenly_they_are_used() -> None:
    """One hour is nothing, all alike are one; and a break is one since the last score, not since the first."""
    shares = [features_of(action(), Habits(hours=[3] * used + [0] * (24 - used)))["hours"] for used in (0, 1, 12, 24)]
    assert [0.0, 0.0, 0.782, 1.0] == [round(share, 3) for share in shares]
    habits = known()
    habits.scored, habits.since_us = [NOON_US - 3_600_000_000, NOON_US - 1_000_000], NOON_US - 7_200_000_000
    assert "2.0 hours without a break of half an hour" == said_of("sitting", action(), habits)


def test_what_is_told_is_what_is_farthest_from_the_others() -> None:
    """Beside what those who were learnt from do, each by how much they differ among themselves."""
    crowd, rng = Crowd(FakeLearner(), POLICY), random.Random(1)
    for _ in range(50):
        others = known(3.0 + rng.uniform(-0.02, 0.02))
        others.failed = rng.uniform(0.0, 0.6)
        crowd.teach(others)
    odd, found = known(3.8), None
    odd.failed, odd.hours = 0.7, [1] * 24
    for number in range(LOOKS):
        now_us = NOON_US + round(number * LOOK_S * 1e6)
        odd.scored, odd.since_us = [now_us - 5_000_000], now_us - 60_000_000
        crowd.begin()
        found = crowd.look(action(number * LOOK_S), odd)
    assert found is not None
    told = found.explanation.partition(": ")[2].split("; ")
    assert ["active in 24 hours of the day", "a score each 45 seconds"] == told[:2]
    assert not any("attempts failed" in said for said in told)


def test_features_are_shares_and_each_can_be_said() -> None:
    """Whatever the habits are."""
    full = Habits(
        actions=10**6,
        paces=Moments(9, 99.0, 99.0),
        hours=[7] * 24,
        points={action().at_us // 60_000_000: 10**9},
        addresses=dict.fromkeys("abcdefghijklmnopqrstuvw", NOON_US),
        since_us=1,
        scored=[NOON_US],
        failed=1.0,
    )
    low, high = features_of(action(0, Seen.REFUSED), Habits()), features_of(action(), full)
    assert {**dict.fromkeys(low, 0.0), "evenness": 1.0} == low
    assert {**dict.fromkeys(high, 1.0), "evenness": 0.0} == high
    for name in low:
        assert len(said_of(name, action(), Habits())) > 10
    assert "active in 24 hours of the day" == said_of("hours", action(), full)
