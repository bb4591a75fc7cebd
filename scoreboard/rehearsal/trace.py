"""What is left of a player who has played: enough to tell what would be found by other bounds than those there were."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from actors.fraud.crowd import RULE as UNUSUAL
from actors.fraud.measures import MEASURES
from actors.fraud.policy import Policy


class Bound(NamedTuple):
    """A field of the policy: a rule finds something where a value is `beyond` it."""

    name: str
    beyond: Callable[[float, float], bool]

    def farther(self, one: float, other: float) -> float:
        """Whichever is."""
        return one if self.beyond(one, other) else other


#: By rule, those that have one.
BOUNDS: Mapping[str, Bound] = {
    **{rule: Bound(measure.bound, measure.beyond) for rule, measure in MEASURES.items()},
    UNUSUAL: Bound("unusual_from", operator.ge),
}


class Trace(NamedTuple):
    """What rules without bounds found with a player of that kind, and how far it went for those that have one."""

    kind: str
    found: frozenset[str]
    farthest: Mapping[str, float]
    scores: int

    def passes(self, rule: str, bound: float) -> bool:
        """Whether this rule would find something with it by this bound."""
        return rule in self.farthest and BOUNDS[rule].beyond(self.farthest[rule], bound)

    def found_by(self, policy: Policy) -> frozenset[str]:
        """All rules that find something with it by this policy, which must not measure in another way."""
        bounded = {rule for rule in BOUNDS if rule in policy.rulings}
        return self.found | {rule for rule in bounded if self.passes(rule, getattr(policy, BOUNDS[rule].name))}
