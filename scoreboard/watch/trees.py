"""The online learner: half-space trees of river, an isolation forest that goes on learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scoreboard.watch.errors import LearnerMissing

#: More trees are steadier and dearer. A higher tree tells finer differences, and calls more of them unusual.
TREES, HEIGHT = 40, 6
#: What the last so many players did is what is usual.
WINDOW = 500


class Trees:
    """`Learner` of river. Its memory is that of the nodes: some hundred kilobytes."""

    def __init__(self, seed: int) -> None:
        self._trees = _half_space_trees()(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=seed)

    def __repr__(self) -> str:
        return f"<Trees, {TREES} of height {HEIGHT}>"

    def judge(self, features: Mapping[str, float]) -> float:
        """See `Learner.judge`."""
        return float(self._trees.score_one(features))

    def learn(self, features: Mapping[str, float]) -> None:
        """See `Learner.learn`."""
        self._trees.learn_one(features)


def _half_space_trees() -> Any:
    """Raises LearnerMissing."""
    try:
        from river.anomaly import HalfSpaceTrees  # noqa: PLC0415 - an extra, and a second of work: only if wanted
    except ImportError as error:
        raise LearnerMissing(
            "SCOREBOARD_FRAUD_LEARNER needs the library river, which is not installed here: install the extra "
            "`learner` (pip install 'scoreboard[learner]', or '.[learner]' where its sources are), or turn that off"
        ) from error
    return HalfSpaceTrees
