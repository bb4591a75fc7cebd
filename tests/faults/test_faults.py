"""One round of each kind of fault on one server; `scripts/soak faults` has many rounds of all faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
import trio

from tests.faults.nemesis import FAULTS, Step, impossible
from tests.faults.report import by_fault, not_done, table
from tests.faults.rounds import Outcome, played
from tests.faults.stage import open_stage

pytestmark = pytest.mark.stores

LENGTH_S = 2.2
#: In this order: the day of the daily board ends in the middle of them, and in the end a month, when much is purged.
ROUNDS = {
    "workers": [Step("all workers killed", 0.5, 1.0), Step("Valkey replaced by an empty one", 0.8, 0.5)],
    "a pause": [Step("a worker paused", 0.3, 2.0), Step("Valkey emptied", 0.8, 0.6)],
    "Postgres": [Step("answers to commits lost", 0.2, 0.8), Step("Postgres killed", 1.2, 0.8)],
    "a failover": [Step("Postgres failed over while the former primary lives", 0.2, 1.0)],
    "a lonely worker": [Step("a worker cut off from both", 0.2, 4.5)],
    "the disk and clocks": [Step("the disk full", 0.3, 1.5), Step("the clock of all workers set", 1.2, 0.6)],
    "clocks that are right again": [
        Step("the clock weeks later", 0.8, 0.2),
        Step("the clock at the end of a month", 1.1, 1.0),
    ],
}
DAY_S = 25
SEED = 20


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome | str]:
    """What came of each round, or why it was not played."""
    return trio.run(_all_played, tmp_path_factory.mktemp("faults"))


async def _all_played(folder: Path) -> dict[str, Outcome | str]:
    found: dict[str, Outcome | str] = {}
    async with open_stage(folder, SEED, DAY_S) as stage:
        cannot = impossible(stage)
        for seed, (name, steps) in enumerate(ROUNDS.items(), SEED):
            why_not = not_done({step.name: cannot[step.name] for step in steps if step.name in cannot})
            found[name] = "; ".join(why_not) or await played(stage, steps, Random(seed), LENGTH_S)
    return found


@pytest.mark.parametrize("name", ROUNDS)
def test_nothing_acknowledged_is_lost_and_everything_shown_was_true(
    name: str, outcomes: Mapping[str, Outcome | str]
) -> None:
    """Nor counted twice; and when the fault is over all workers and all screens come to show the truth."""
    outcome = outcomes[name]
    if isinstance(outcome, str):
        pytest.skip(outcome)
    assert () == outcome.findings
    assert len(outcome.operations) > 20
    assert sum(bool(operation.told) for operation in outcome.operations) > 20


def test_what_is_old_is_purged_meanwhile(outcomes: Mapping[str, Outcome | str]) -> None:
    """When weeks have gone by: what was scored is still there, and is asked for again in each round."""
    outcome = outcomes["clocks that are right again"]
    if isinstance(outcome, str):
        pytest.skip(outcome)
    assert outcome.purged > 20


def test_the_rounds_have_a_report(outcomes: Mapping[str, Outcome | str]) -> None:
    """Of all that was played, as a table."""
    those = [outcome for outcome in outcomes.values() if isinstance(outcome, Outcome)]
    total = sum(len(outcome.operations) for outcome in those)
    assert table(those).splitlines()[2].startswith(f"| {len(those)} | {total} | ")
    assert all(step.name in by_fault(those) and step.name in FAULTS for outcome in those for step in outcome.steps)
