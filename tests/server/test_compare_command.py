from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from scoreboard.__main__ import main
from scoreboard.server.ending import EXPLAINED
from scoreboard.server.fraud import fraud_rules
from scoreboard.settings import Fraud, Settings
from scoreboard.watch.errors import LearnerMissing
from scoreboard.watch.trees import Trees

FEW = ("--players", "30", "--hours", "24")


def compared(*words: str, **environ: str) -> Any:
    """What the verb tells programs."""
    result = CliRunner().invoke(main, ["fraud", "compare", *FEW, "--json", *words], env=environ)
    assert 0 == result.exit_code, result.output
    return json.loads(result.stdout)


def honest_found(told: Any, rule: str) -> float:
    """How many of a thousand."""
    [found] = [each["falsePerThousand"] for each in told["rule by rule"] if each["name"] == rule]
    return float(found)


def test_the_verb_tells_people_and_programs() -> None:
    """The same with the same seed."""
    first = compared("--seed", "3")
    assert first == compared("--seed", "3")
    assert first != compared("--seed", "4")
    assert {"seed": 3, "players": 30, "cheats": 0.15, "hours": 24.0} == first["mix"]
    said = CliRunner().invoke(main, ["fraud", "compare", *FEW])
    assert 0 == said.exit_code
    for heading in ("of which anything follows", "any finding", "rule by rule", "kind by kind", "night grinder *"):
        assert heading in said.stdout
    assert "playing" not in said.stderr  # a bar is for terminals


def test_document_a_s_gaps_find_the_breaks_of_everybody() -> None:
    """The reason why gaps are judged in another way; and a setting of the server is one of the rehearsal."""
    assert honest_found(compared("--hours", "48", "--literal"), "gap") > 500
    assert honest_found(compared("--hours", "48"), "gap") < 100
    assert 0 < honest_found(compared(SCOREBOARD_FRAUD_GAIN_PER_HOUR="1"), "gain")
    wrong = CliRunner().invoke(main, ["fraud", "compare"], env={"SCOREBOARD_FRAUD_GAIN": "much"})
    assert (2, True) == (wrong.exit_code, "SCOREBOARD_FRAUD_GAIN" in wrong.stderr)


def test_without_the_learner_s_library_the_rest_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the verb says so."""
    monkeypatch.setitem(sys.modules, "river.anomaly", None)
    said = CliRunner().invoke(main, ["fraud", "compare", *FEW])
    assert (0, True) == (said.exit_code, "Without the learner" in said.stderr)


def test_a_learner_is_there_if_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its library is not, the server does not start, and the sentence says what to do."""
    off, on = fraud_rules(Settings(), b""), fraud_rules(Settings(fraud=Fraud(learner=True, unusual_from=0.5)), b"")
    assert off is not None
    assert on is not None
    assert off.learner is None
    assert isinstance(on.learner, Trees)
    assert 0.5 == on.policy.unusual_from
    monkeypatch.setitem(sys.modules, "river.anomaly", None)
    with pytest.raises(LearnerMissing, match=r"install the extra `learner`"):
        fraud_rules(Settings(fraud=Fraud(learner=True)), b"")
    assert issubclass(LearnerMissing, EXPLAINED)
