"""All players together: who plays as hardly anybody does, by a learner. Its finding is one as those of rules are."""

from __future__ import annotations

from collections.abc import Mapping

from actors.fraud import moments
from actors.fraud.features import features_of, said_of
from actors.fraud.messages import Action, Seen
from actors.fraud.policy import Policy, Verdict
from actors.ports import NOWHERE, Habits, Learner, Moments, UserId

RULE = "unusual"
NOBODY = UserId("")
#: A player is looked at once in so long, and learnt from once in so long: who plays all day is not what is usual.
LOOK_EVERY_US = 600_000_000
LEARN_EVERY_US = 3 * 3600 * 1_000_000
#: So many runs of scores are known of who is looked at, and so many looks make a finding.
RUNS_KNOWN, LOOKS = 5, 6
#: So many looks are taken between two `begin`: a learner takes a little time, and everybody else waits for it.
LOOKS_AT_ONCE = 20
#: So many features are told, those in which a player is farthest from the others.
TOLD = 3


class Crowd:
    """Begins to know nobody; may be taught by habits of before. Without a learner it finds nothing."""

    def __init__(self, learner: Learner | None, policy: Policy) -> None:
        self._learner = learner
        self._policy = policy
        self._usual: dict[str, Moments] = {}
        self._left = LOOKS_AT_ONCE

    def __repr__(self) -> str:
        known = next(iter(self._usual.values()), Moments()).count
        return f"<Crowd, {known} learnt>"

    def begin(self) -> None:
        """What follows is another batch. Who was passed over in the last is looked at when it plays again."""
        self._left = LOOKS_AT_ONCE

    def teach(self, habits: Habits) -> None:
        """Somebody has played so, until the last score."""
        if self._learner is None or not habits.scored or habits.paces.count < RUNS_KNOWN:
            return
        last = Action(NOBODY, habits.scored[-1], Seen.SCORED, NOWHERE)
        self._take(self._learner, features_of(last, habits))

    def look(self, action: Action, habits: Habits) -> Verdict | None:
        """What is wrong with how somebody plays, given the habits of before the action. They remember the look."""
        ruling = self._policy.rulings.get(RULE)
        if self._learner is None or ruling is None or self._left <= 0 or not _is_due(action, habits):
            return None
        self._left -= 1
        habits.looked_us = action.at_us
        features = features_of(action, habits)
        score = self._learner.judge(features)
        if action.at_us - habits.learnt_us >= LEARN_EVERY_US:
            habits.learnt_us = action.at_us
            self._take(self._learner, features)
        if score <= 0:
            return None
        habits.looks = min(LOOKS, habits.looks + 1)
        habits.unusual += (score - habits.unusual) / habits.looks
        if habits.looks < LOOKS or habits.unusual < self._policy.unusual_from:
            return None
        return Verdict(RULE, *ruling, self._explained(action, habits, features))

    def _take(self, learner: Learner, features: Mapping[str, float]) -> None:
        learner.learn(features)
        for name, value in features.items():
            moments.add(self._usual.setdefault(name, Moments()), value)

    def _explained(self, action: Action, habits: Habits, features: Mapping[str, float]) -> str:
        def distance(name: str) -> float:
            usual = self._usual.get(name, Moments())
            return abs(features[name] - usual.mean) / max(moments.deviation(usual), 0.01)

        farthest = sorted(features, key=distance, reverse=True)[:TOLD]
        said = "; ".join(said_of(name, action, habits) for name in farthest)
        return f"Plays as hardly anybody does ({habits.unusual:.2f} of 1): {said}."


def _is_due(action: Action, habits: Habits) -> bool:
    known = action.seen is Seen.SCORED and habits.paces.count >= RUNS_KNOWN
    return known and action.at_us - habits.looked_us >= LOOK_EVERY_US
