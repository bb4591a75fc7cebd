"""A learner that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class FakeLearner:
    """`Learner` in memory: unusual is what it has seldom seen, to a tenth. `learnt` is how often it learnt."""

    def __init__(self) -> None:
        self.seen = Counter[tuple[float, ...]]()
        self.learnt = 0

    def judge(self, features: Mapping[str, float]) -> float:
        """See `Learner.judge`."""
        return 1 - self.seen[self._rounded(features)] / self.learnt if self.learnt else 0.0

    def learn(self, features: Mapping[str, float]) -> None:
        """See `Learner.learn`."""
        self.learnt += 1
        self.seen[self._rounded(features)] += 1

    @staticmethod
    def _rounded(features: Mapping[str, float]) -> tuple[float, ...]:
        return tuple(round(features[name], 1) for name in sorted(features))
