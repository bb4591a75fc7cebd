"""What learns online how players usually play, all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Learner(Protocol):
    """Is shown players as numbers from 0 to 1, always by the same names.

    Synchronous, and takes well under a millisecond; what it remembers is bounded.
    """

    def judge(self, features: Mapping[str, float]) -> float:
        """How unusual they are, from 0 to 1, by what was learnt; 0 while that is too little."""
        ...

    def learn(self, features: Mapping[str, float]) -> None:
        """Somebody plays so."""
        ...
