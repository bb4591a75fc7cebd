"""What a board costs by its number of players: ours, kept libraries and Valkey, side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.rankings.candidates import CANDIDATES
from tests.bench.subject import SubjectFactory
from tests.bench.versus import OURS, side_key

NAME = "ranking"
SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
LARGEST_EACH_ROUND = 1_000_000
LARGEST_QUICK = 100_000
QUICK_S = 4.0
WITHIN_S = 600.0
TOP = Path(__file__).resolve().parents[3]
QUANTITIES = (
    ("step_us", "update, a point more", "us"),
    ("jump_us", "update, anywhere", "us"),
    ("rank_us", "rank", "us"),
    ("page_us", "page of 10", "us"),
    ("memory_mb", "memory", "MB"),
    ("load_s", "load", "s"),
)
MARKS = {("step_us", 1_000_000): Mark(10), ("jump_us", 1_000_000): Mark(10), ("memory_mb", 1_000_000): Mark(250)}


def key_of(quantity: str, size: int, side: str) -> str:
    """What a figure is called."""
    return side_key(f"{quantity} of {size}", side)


class RankingMeasure:
    """Processor time of each candidate with each size, in a process of its own; the largest only in the first round."""

    names: tuple[str, ...] = (NAME,)

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        self._sizes = [size for size in SIZES if options.window_s > QUICK_S or size <= LARGEST_QUICK]
        self.figures: tuple[Figure, ...] = tuple(
            Figure(key_of(quantity, size, side), f"{size:,} players: {label}", unit, _mark(quantity, size, side), side)
            for size in self._sizes
            for quantity, label, unit in QUANTITIES
            for side in CANDIDATES
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Each candidate has ended with its process."""

    def warm_up(self) -> None:
        """A fresh process needs none."""

    def round(self, number: int) -> Reading:
        """Measure all of them."""
        values: dict[str, float] = {}
        for size in self._sizes:
            if size > LARGEST_EACH_ROUND and number > 0:
                continue
            for side in CANDIDATES:
                found = _measured(side, size)
                values |= {key_of(quantity, size, side): value for quantity, value in found.items()}
        return Reading(values)


def _mark(quantity: str, size: int, side: str) -> Mark | None:
    return MARKS.get((quantity, size)) if side == OURS else None


def _measured(side: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.rankings", side, str(size)]
    answer = subprocess.run(command, cwd=TOP, check=True, capture_output=True, timeout=WITHIN_S)
    found: dict[str, float] = json.loads(answer.stdout)
    return found
