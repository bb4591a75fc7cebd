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

FEW = ("--players", "30", "--hours", "24", "--jobs", "1", "--choose", "none", "--report", "1")


def compared(*words: str, **environ: str) -> Any:
    """What the verb tells programs."""
    result = CliRunner().invoke(main, ["fraud", "compare", *FEW, "--json", *words], env=environ)
    assert 0 == result.exit_code, result.output
    return json.loads(result.stdout)


def honest_found(told: Any, rule: str) -> float:
    """How many of a thousand."""
    [found] = [
        each["falsePerThousand"]["all"] for each in told["bounds as set"]["rule by rule"] if each["name"] == rule
    ]
    return float(found)


def test_the_verb_tells_people_and_programs() -> None:
    """The same with the same seed; a line for each that is done, where no bar can be."""
    first = compared("--report", "3")
    assert first == compared("--report", "3")
    assert first["bounds as set"] != compared("--report", "4")["bounds as set"]
    assert (30, 0.15, 24.0, [], [3]) == tuple(
        first[name] for name in ("players", "cheats", "hours", "chosenOn", "reportedOn")
    )
    said = CliRunner().invoke(main, ["fraud", "compare", *FEW, "--choose", "7", "--report", "8,9"])
    assert 0 == said.exit_code
    headings = (
        "bounds, chosen on seed 7",
        "of which anything follows",
        "any finding",
        "on seeds 8, 9",
        "night grinder *",
    )
    for heading in headings:
        assert heading in said.stdout
    assert [f"played {done} of 3 seeds" for done in (1, 2, 3)] == said.stderr.splitlines()


def test_seeds_are_played_at_once_as_they_are_one_by_one() -> None:
    """In processes of their own."""
    alone = compared("--choose", "7", "--report", "8-9")
    assert alone == compared("--choose", "7", "--report", "8-9", "--jobs", "2")


@pytest.mark.parametrize(
    "words", [("--choose", "1-4", "--report", "4"), ("--report", "none"), ("--report", "one"), ("--report", "1-1000")]
)
def test_nobody_is_reported_on_whom_bounds_were_chosen_by(words: tuple[str, ...]) -> None:
    """Nor nobody at all, nor more than can be waited for; and the sentence says so."""
    said = CliRunner().invoke(main, ["fraud", "compare", *FEW, *words])
    assert (2, True) == (said.exit_code, "seed" in said.stderr)


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
