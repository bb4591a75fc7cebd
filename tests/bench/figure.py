"""A figure of the table: what it is, what it should reach, and what the rounds gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from tests.bench.statistics import median


@dataclass(frozen=True, slots=True)
class Mark:
    """A value to reach."""

    value: float
    at_least: bool = False

    def reached(self, value: float) -> bool:
        """Whether a figure is on the right side of it."""
        return value >= self.value if self.at_least else value <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one number is. Figures with a `side` are compared: a line for each label, a column for each side."""

    key: str
    label: str
    unit: str
    mark: Mark | None = None
    side: str = ""


@dataclass(slots=True)
class Reading:
    """What one round gave: figures by their keys, and sorted samples for the plot."""

    values: dict[str, float]
    curves: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """How thoroughly to measure. `window_s` is the length of one window of load, `hold_s` of holding connections."""

    rounds: int = 5
    window_s: float = 8.0
    players: int = 64
    viewers: int = 1000
    hold_s: float = 30.0


class Measure(Protocol):
    """One load on a subject and the figures that it gives. Entered once, then `warm_up`, then any number of rounds."""

    names: tuple[str, ...]
    figures: tuple[Figure, ...]

    def __enter__(self) -> Self:
        """Start what it needs."""

    def __exit__(self, *_: object) -> None:
        """End it."""

    def warm_up(self) -> None:
        """Load it once, without looking."""

    def round(self, number: int) -> Reading:
        """Measure once."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with the values of all rounds."""

    figure: Figure
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the mark was; None without a mark."""
        return None if self.figure.mark is None else self.figure.mark.reached(self.median)


def rows_of(measure: Measure, readings: list[Reading]) -> list[Row]:
    """The figures of a measure over its rounds; those that no round gave are left out."""
    rows = []
    for figure in measure.figures:
        values = tuple(reading.values[figure.key] for reading in readings if figure.key in reading.values)
        if values:
            rows.append(Row(figure, values))
    return rows


def last_curves(readings: list[Reading]) -> Mapping[str, list[float]]:
    """The samples of the last round that had any."""
    return next((reading.curves for reading in reversed(readings) if reading.curves), {})
