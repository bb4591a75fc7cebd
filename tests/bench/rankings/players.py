"""Players made of their number, so that nobody has to keep them beside what is measured."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator

from actors.ports import ScoreFact, UserId

PAGE = 10_000  # what the server reads at once
MIX = 0x9E3779B97F4A7C15F39CC0605CEDC835
REACHED_US = 1_700_000_000_000_000


def id_of(number: int) -> UserId:
    """Text of a UUID, ascending with the number, as the store has it."""
    tail = f"{number * MIX % 2**96:024x}"
    return UserId(f"{number:08x}-{tail[:4]}-4{tail[4:7]}-8{tail[7:10]}-{tail[10:22]}")


class Players:
    """So many players with scores below their number, and their next facts."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rng = random.Random(size)
        self.scores = array("q", (self.rng.randrange(size) for _ in range(size)))
        self._version = 1
        self._at_us = REACHED_US + 10**13

    def pages(self) -> Iterator[list[ScoreFact]]:
        """All of them, by ascending id."""
        for start in range(0, self.size, PAGE):
            numbers = range(start, min(start + PAGE, self.size))
            yield [
                ScoreFact(id_of(n), f"player{n:06}", self.scores[n], 1, REACHED_US + n * 7919 % 10**12) for n in numbers
            ]

    def some(self, count: int) -> list[UserId]:
        """Any players."""
        return [id_of(self.rng.randrange(self.size)) for _ in range(count)]

    def steps(self, count: int) -> list[ScoreFact]:
        """Any players, each one point higher."""
        return [self._fact(number, self.scores[number] + 1) for number in self._any(count)]

    def jumps(self, count: int) -> list[ScoreFact]:
        """Any players, each anywhere."""
        return [self._fact(number, self.rng.randrange(self.size)) for number in self._any(count)]

    def _any(self, count: int) -> Iterator[int]:
        return (self.rng.randrange(self.size) for _ in range(count))

    def _fact(self, number: int, score: int) -> ScoreFact:
        self.scores[number] = score
        self._version += 1
        self._at_us += 17
        return ScoreFact(id_of(number), f"player{number:06}", score, self._version, self._at_us)
