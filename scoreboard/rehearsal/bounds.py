"""Chooses the bounds of rules by players whom one knows, so that they can be judged by others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from actors.fraud.policy import Policy
from actors.ports import Consequence
from scoreboard.rehearsal.kinds import CHEATS
from scoreboard.rehearsal.trace import BOUNDS, Trace

#: By rule, the bounds to choose from. The others' are document A's.
CANDIDATES: Mapping[str, Sequence[float]] = {
    "addresses": tuple(range(2, 13)),
    "gain": (2_500, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 50_000, 100_000),
    "pattern": (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2),
    "gap": tuple(2.5 + 0.25 * step for step in range(19)),
    "velocity": tuple(2.5 + 0.25 * step for step in range(19)),
    "unusual": tuple(round(0.7 + 0.01 * step, 2) for step in range(29)),
}
#: Of a thousand honest players a rule may find so many: if it is only logged, and if something follows.
AIM_LOGGED, AIM_FELT = 5.0, 1.0


class Choice(NamedTuple):
    """The bound of a rule as it was set, and as it was chosen; by that, whom it found among those it was chosen by."""

    rule: str
    name: str
    as_set: float
    chosen: float
    cheats_found: int
    honest_found: int


def choose(traces: Sequence[Trace], policy: Policy) -> list[Choice]:
    """For each rule that is on, the bound that finds most cheats of all that find no more honest players than it may.

    Of several that which finds fewest honest players; of several of these the one in the middle, as far from either
    side. Where no such bound finds any cheat, it stays as it is set.
    """
    return [
        _choose(rule, policy, traces)
        for rule in CANDIDATES
        if rule in policy.rulings and any(rule in trace.farthest for trace in traces)
    ]


def chosen_policy(policy: Policy, choices: Sequence[Choice]) -> Policy:
    """The same with these bounds."""
    bounds = {choice.name: choice.chosen for choice in choices}
    return replace(policy, **bounds)  # type: ignore[arg-type]  # fields by name


def _choose(rule: str, policy: Policy, traces: Sequence[Trace]) -> Choice:
    name = BOUNDS[rule].name
    as_set: float = getattr(policy, name)
    honest = [trace for trace in traces if trace.kind not in CHEATS]
    cheats = [trace for trace in traces if trace.kind in CHEATS]

    def judged(bound: float) -> Choice:
        found = [sum(trace.passes(rule, bound) for trace in side) for side in (cheats, honest)]
        return Choice(rule, name, as_set, bound, *found)

    most = (AIM_LOGGED if policy.rulings[rule].consequence is Consequence.LOG else AIM_FELT) * len(honest) / 1000
    all_of_them = map(judged, CANDIDATES[rule])
    good = [choice for choice in all_of_them if choice.cheats_found > 0 and choice.honest_found <= most]
    if not good:
        return judged(as_set)

    def merit(choice: Choice) -> tuple[int, int]:
        return choice.cheats_found, -choice.honest_found

    best = [each for each in good if merit(each) == max(map(merit, good))]
    return best[len(best) // 2]
