"""A replica of the simulated Postgres, which receives nothing from the moment on at which it was made."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from actors.ports import ScoreWrite
from tests.fakes import FakeScoreStore


class Replica:
    """All that was there: of players and scores, and of the `others`, whatever containers they have.

    Whoever shares the contents of a fake shares its containers, so it is they that are filled anew.
    """

    def __init__(self, scores: FakeScoreStore, others: Sequence[object]) -> None:
        self._scores = scores
        self._received = scores.replica()
        self._kept = [(each, deepcopy(each)) for other in others for each in _containers(other)]

    def promote(self) -> list[ScoreWrite]:
        """It takes the place of the primary; the scores that are lost by that."""
        for contents, kept in self._kept:
            contents.clear()
            if isinstance(contents, list):
                contents.extend(kept)
            else:
                contents.update(kept)
        return self._scores.promote(self._received)


def _containers(fake: object) -> list[Any]:
    return [each for each in vars(fake).values() if isinstance(each, dict | list)]
