from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from actors.fraud.judge import judge, learn
from actors.fraud.measures import MEASURES
from actors.fraud.messages import Seen
from actors.fraud.place import place_of
from actors.fraud.policy import Policy
from actors.fraud.world import FraudRules
from scoreboard.rehearsal import stage
from scoreboard.rehearsal.kinds import CHEATS, KINDS
from scoreboard.rehearsal.report import by_kind
from scoreboard.rehearsal.stage import Mix, cast, play
from scoreboard.rehearsal.tally import judged
from scoreboard.rehearsal.trace import Trace
from tests.fakes import FakeLearner

SMALL = Mix(seed=7, players=40, cheats=0.3, hours=24)


def rehearsed(mix: Mix = SMALL, rules: FraudRules | None = None) -> list[Trace]:
    """All have played."""
    hours = list[float]()
    traces = play(mix, rules or FraudRules(secret=b"s"), hours.append)
    assert hours == sorted(hours)
    return traces


def found_in(traces: list[Trace]) -> dict[str, frozenset[str]]:
    """By kind, the rules that found something, by the usual bounds."""
    return {kind: frozenset(rules) for kind, _, rules in by_kind([judged(traces, Policy())])}


def test_a_mix_has_all_kinds_in_their_shares() -> None:
    """At least one of each; the shares of either side are a whole."""
    for side in (False, True):
        assert 1.0 == pytest.approx(sum(kind.share for kind in KINDS if kind.cheats is side))
    players = cast(Mix(1, 1000, 0.2, 1))
    counts = {kind.name: sum(player.kind is kind for player in players) for kind in KINDS}
    assert (400, 24) == (counts["casual"], counts["steady program"])
    assert all(sum(player.kind is kind for player in cast(SMALL)) for kind in KINDS)
    assert list(range(1000)) == [player.number for player in players]


def test_the_same_seed_is_the_same_rehearsal() -> None:
    """And another is another."""
    first = rehearsed()
    assert first == rehearsed()
    assert first != rehearsed(SMALL._replace(seed=8))


def test_what_is_wrong_in_itself_is_found_with_who_does_it_and_with_nobody_else() -> None:
    """Honest players have no forged token, however they play; this much must hold of any mix."""
    found = found_in(rehearsed(SMALL._replace(hours=72)))
    for name, rule in (("forged tokens", "forged"), ("honeypot", "honeypot"), ("impossible times", "too_soon")):
        assert rule in found[name]
    for kind in KINDS:
        assert kind.cheats or not {"forged", "honeypot", "too_soon"} & found[kind.name]


def test_what_is_left_tells_whom_the_rules_found() -> None:
    """Whatever the bounds: by those that there were, a trace says what judging each action at once has said."""
    strict = Policy(
        rapid_most=3, addresses_per_hour=1, gain_per_hour=300, pattern_spread=0.2, gap_z=1.5, velocity_z=1.0
    )
    strict = replace(strict, hours_known=3, runs_known=4)
    mix, found = SMALL, dict[int, set[str]]()
    for player in cast(mix):
        habits, rules = player.habits, found.setdefault(player.number, set())
        for attempt, _ in stage.attempts_of(player, mix):
            action = stage.taken(player, attempt)
            place = place_of(attempt.source, b"s")
            rules.update(verdict.rule for verdict in judge(action, place, habits, strict))
            learn(action, place, habits, strict)
    traces = rehearsed(mix, FraudRules(strict, b"s"))
    assert list(found.values()) == [set(trace.found_by(strict)) for trace in traces]
    assert set(MEASURES) <= {rule for rules in found.values() for rule in rules}


def test_a_server_s_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over it is an attempt that was refused, and brings nothing."""
    scored: dict[str, list[int]] = defaultdict(list)
    refused: list[bool] = []

    def noted(action: Any, *rest: Any) -> None:
        assert action.points == 0 or action.seen is Seen.SCORED
        refused.append(action.seen is Seen.REFUSED)
        if action.seen is Seen.SCORED:
            scored[action.user_id].append(action.at_us // 1_000_000)
        learn(action, *rest)

    monkeypatch.setattr(stage, "learn", noted)
    traces = rehearsed()
    assert sum(map(len, scored.values())) == sum(trace.scores for trace in traces)
    assert sum(refused) > 50
    for moments in scored.values():  # of a window that the first opens, so twice as many at its edge
        assert all(later - earlier > 60 for earlier, later in zip(moments, moments[20:], strict=False))


def test_a_learner_is_one_of_the_parts() -> None:
    """How far players went for it is known; without one it is not there as a finding."""
    learner, policy = FakeLearner(), Policy(unusual_from=0.5)
    traces = rehearsed(SMALL._replace(hours=48), FraudRules(policy, b"s", learner))
    assert learner.learnt > 0
    assert any("unusual" in each.rules for each in judged(traces, policy) if each.kind in CHEATS)
    assert not any("unusual" in each.rules for each in judged(rehearsed(), policy))
