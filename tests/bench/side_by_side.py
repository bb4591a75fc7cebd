"""A measure that loads several servers in the same way, one after the other in each round, in turning order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Protocol, Self

from tests.bench.figure import Reading
from tests.bench.peers.programs import Absent
from tests.bench.versus import in_turn, with_ratios


class Side(Protocol):
    """One server and what loads it."""

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, begun when what was before is done with; the quantities by their keys."""
        ...


class SideBySide:
    """What such measures share; a measure has its own `names` and `figures`.

    Args:
        starts: A side from the scope in which it lives; one that raises Absent is left out, with its reason.
        warm_up_s: How long each side is loaded before the first round.
        window_s: How long in each round.
    """

    def __init__(self, starts: Mapping[str, Callable[[ExitStack], Side]], warm_up_s: float, window_s: float) -> None:
        self._starts = starts
        self._warm_up_s = warm_up_s
        self._window_s = window_s
        self._scope = ExitStack()
        self._sides: dict[str, Side] = {}
        self.left_out: dict[str, str] = {}

    def __enter__(self) -> Self:
        for name, start in self._starts.items():
            try:
                self._sides[name] = start(self._scope)
            except Absent as reason:
                self.left_out[name] = str(reason)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All."""
        for side in self._sides.values():
            side.window(self._warm_up_s)

    def round(self, number: int) -> Reading:
        """All; whoever was first is last in the next round."""
        return with_ratios({name: self._sides[name].window(self._window_s) for name in in_turn(self._sides, number)})
