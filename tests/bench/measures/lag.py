"""How long the server's event loop is held at a time while boards go out to many."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from tests.bench.arena import Arena, gathering
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.subject import SubjectFactory

NAME = "lag"
MANY = 10  # times the clients of the other half
SCORES_PER_S = 20.0


class LagMeasure:
    """Scores come while a thousand clients watch, and while ten thousand do; the server's own histogram of its turns.

    The same stretches tell how long a score takes to the screen, and what part of a core the load generator used.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._halves: dict[int, tuple[Arena, Generator]] = {}
        self._sizes = (options.viewers, options.viewers * MANY)
        self.figures: tuple[Figure, ...] = tuple(figure for size in self._sizes for figure in _figures(size))

    def __enter__(self) -> Self:
        for size in self._sizes:
            arena = self._scope.enter_context(gathering(self._start))
            self._halves[size] = (arena, arena.crowd())
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All come, and stay."""
        for size, (arena, crowd) in self._halves.items():
            arena.warm_up(crowd, size)

    def round(self, number: int) -> Reading:
        """One stretch each."""
        values: dict[str, float] = {}
        curves: dict[str, list[float]] = {}
        for size, (arena, crowd) in self._halves.items():
            stretch = arena.stretch(crowd, self._options.window_s, SCORES_PER_S)
            found = {
                **stretch.lag.figures(),
                **stretch.screen("screen_"),
                "server": 100 * stretch.server_share,
                "crowd": 100 * stretch.crowd_share,
                "elsewhere": float(stretch.seen["elsewhere"]),
            }
            values |= {f"{key}: {size}": value for key, value in found.items()}
            curves[f"lag: {size:,} clients"] = stretch.lag.bars()
        return Reading(values, curves)


def _figures(size: int) -> list[Figure]:
    def figure(key: str, label: str, unit: str, mark: Mark | None = None) -> Figure:
        return Figure(f"{key}: {size}", f"{label}, {size:,} clients", unit, mark)

    return [
        figure("lag_max", "longest turn of the loop, at most", "ms", Mark(25)),
        figure("lag_p999", "99.9 % of turns, at most", "ms"),
        figure("lag_above", "turns above 25 ms", "turns"),
        figure("lag_share", "share of turns above 25 ms", "%"),
        figure("lag_turns", "turns", "turns"),
        figure("screen_median", "submit to screen, median", "ms"),
        figure("screen_p99", "submit to screen, p99", "ms", Mark(1200)),
        figure("server", "processor: server", "% of a core"),
        figure("crowd", "processor: load generator", "% of a core"),
        figure("elsewhere", "clients without the last version", "clients"),
    ]
