from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from actors.ports import Learner
from scoreboard.watch.trees import WINDOW, Trees
from tests.fakes import FakeLearner

MAKERS = [FakeLearner, lambda: Trees(1)]


@pytest.mark.parametrize("make", MAKERS, ids=["fake", "trees"])
def test_what_is_seldom_is_unusual(make: Callable[[], Learner]) -> None:
    """By what was learnt; while that is nothing, nothing is. To judge teaches nothing."""
    learner, rng = make(), random.Random(1)
    usual, seldom = {"a": 0.2, "b": 0.7}, {"a": 0.9, "b": 0.1}
    assert 0.0 == learner.judge(seldom)
    for _ in range(2 * WINDOW):
        learner.learn({name: value + rng.uniform(-0.04, 0.04) for name, value in usual.items()})
    before = [learner.judge(usual), learner.judge(seldom)]
    assert 0.0 <= before[0] < before[1] <= 1.0
    assert before[1] > 0.9
    for _ in range(100):
        learner.judge(seldom)
    assert before == [learner.judge(usual), learner.judge(seldom)]


@pytest.mark.parametrize("make", MAKERS, ids=["fake", "trees"])
def test_what_becomes_usual_is_learnt(make: Callable[[], Learner]) -> None:
    """Players change, and so does what is unusual."""
    learner = make()
    earlier, later = {"a": 0.2, "b": 0.7}, {"a": 0.9, "b": 0.1}
    for _ in range(WINDOW):
        learner.learn(earlier)
    first = learner.judge(later)
    for _ in range(2 * WINDOW):
        learner.learn(later)
    assert learner.judge(later) < first
