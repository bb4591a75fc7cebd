"""How a process sees its clients off that is going to end while others, or a next one, serve."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_S = 300.0
OVER_S = 5.0
#: While others serve; who comes back to a server that ends as a whole waits longer, for the next one to be there.
BACK_S, NEXT_ONE_S = (0.2, 2.0), (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Farewell:
    """Live clients are closed in waves over `over_s` seconds, and told to come back after `back_s`, at random."""

    over_s: float = OVER_S
    back_s: tuple[float, float] = BACK_S

    def back_after_s(self, rng: random.Random) -> float:
        """For one of them."""
        return rng.uniform(*self.back_s)

    @property
    def words(self) -> str:
        """As a line of text, to be `read`."""
        return f"{self.over_s:g} {self.back_s[0]:g} {self.back_s[1]:g}"

    @classmethod
    def read(cls, words: str) -> Farewell:
        """From a line of text; raises ValueError."""
        over_s, least_s, most_s = map(float, words.split())
        return cls(bounded(over_s), (bounded(least_s), bounded(most_s)))

    @classmethod
    def asked(cls, asked: Mapping[str, Any], back_s: tuple[float, float]) -> Farewell:
        """As an operator wants it; raises ValueError."""
        return cls(bounded(float(asked.get("over_s", OVER_S))), back_s)


def bounded(seconds: float) -> float:
    """So many; raises ValueError."""
    if not 0 <= seconds <= LONGEST_S:
        raise ValueError(f"{seconds:g} s is not within {LONGEST_S:g} s")
    return seconds
