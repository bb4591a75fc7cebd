from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from actors.fraud.judge import learn
from actors.fraud.messages import Seen
from actors.fraud.policy import Policy, usual_rulings
from actors.fraud.world import FraudRules
from actors.ports import Consequence
from scoreboard.rehearsal import stage
from scoreboard.rehearsal.kinds import KINDS
from scoreboard.rehearsal.report import as_json, by_kind, tables
from scoreboard.rehearsal.stage import Mix, Player, cast, play
from scoreboard.rehearsal.tally import Line, groups, line
from tests.fakes import FakeLearner

SMALL = Mix(seed=7, players=40, cheats=0.3, hours=24)


def rehearsed(mix: Mix = SMALL, rules: FraudRules | None = None) -> list[Player]:
    """All have played."""
    players, hours = cast(mix), list[float]()
    play(players, mix, rules or FraudRules(secret=b"s"), hours.append)
    assert hours == sorted(hours)
    return players


def told(players: Sequence[Player]) -> Any:
    """What programs are told."""
    return as_json(players, SMALL, Policy())


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
    first = told(rehearsed())
    assert first == told(rehearsed())
    assert first != told(rehearsed(SMALL._replace(seed=8)))


def test_what_is_wrong_in_itself_is_found_with_who_does_it_and_with_nobody_else() -> None:
    """Honest players have no forged token, however they play; this much must hold of any mix."""
    found = {name: rules for name, _, rules in by_kind(rehearsed(SMALL._replace(hours=72)))}
    assert found["forged tokens"]["forged"] >= 1
    assert found["honeypot"]["honeypot"] >= 1
    assert found["impossible times"]["too_soon"] >= 1
    for kind in KINDS:
        if not kind.cheats:
            assert not {"forged", "honeypot", "too_soon"} & set(found[kind.name])


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
    players = rehearsed()
    assert sum(map(len, scored.values())) == sum(player.scores for player in players)
    assert sum(refused) > 50
    for moments in scored.values():  # of a window that the first opens, so twice as many at its edge
        assert all(later - earlier > 60 for earlier, later in zip(moments, moments[20:], strict=False))


def test_a_learner_is_one_of_the_parts() -> None:
    """Told apart from rules and statistics; without one it is not there as a finding."""
    learner = FakeLearner()
    rules = FraudRules(Policy(unusual_from=0.5), b"s", learner)
    players = rehearsed(SMALL._replace(hours=48), rules)
    assert learner.learnt > 0
    assert line("learner", {"unusual"}, players).cheats_found > 0
    assert 0 == line("learner", {"unusual"}, rehearsed()).cheats_found


def player(kind: int, *found: str) -> Player:
    """Somebody with whom these rules found something."""
    made = Player(0, KINDS[kind])
    made.found.update(found)
    return made


def test_precision_and_recall_count_players() -> None:
    """Who was found, not how often."""
    honest = [player(0), player(0, "hours"), player(0, "hours", "hours"), player(0, "gap")]
    cheats = [player(-1, "forged"), player(-1, "hours", "gap"), player(-1)]
    assert Line("hours", 1, 2, 3, 4) == (hours := line("hours", {"hours"}, [*honest, *cheats]))
    assert (1 / 3, 1 / 3, 500.0) == (hours.precision, hours.recall, hours.false_per_thousand)
    found = groups({"hours", "gap", "forged", "unusual"}, [*honest, *cheats])
    expected = [("rules", 2, 2), ("statistics", 1, 1), ("learner", 0, 0), ("all together", 2, 3)]
    assert expected == [(each.name, each.cheats_found, each.honest_found) for each in found]
    assert (None, 0.0, 0.0) == (found[2].precision, found[2].recall, Line("", 0, 0, 0, 0).false_per_thousand)


def test_what_follows_of_a_finding_is_told_apart() -> None:
    """By the consequences that the rules have here; and people and programs are told the same."""
    policy = Policy(rulings={rule: ruled for rule, ruled in usual_rulings().items() if rule in ("hours", "gain")})
    players = [player(0, "hours"), player(-1, "gain")]
    answer = as_json(players, SMALL, policy)
    [rules, _] = answer["of which anything follows"]
    assert (policy.rulings["hours"].consequence, 1.0, 1.0) == (Consequence.LOG, rules["precision"], rules["recall"])
    [rules, _] = answer["any finding"]
    assert (0.5, 1.0) == (rules["precision"], rules["recall"])
    assert ["hours", "gain"] == [each["name"] for each in answer["rule by rule"]]
    assert 4 == len(tables(players, policy))
