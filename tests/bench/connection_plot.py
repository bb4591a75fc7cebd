"""Panels of the measures of connections: the loop's lag as a histogram, memory against time, clients as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from matplotlib.axes import Axes

from scoreboard.observe.metrics import LAG_BUCKETS

BLUE, ORANGE, GREEN = "#1f77b4", "#e07b39", "#4a9d5b"
HELD = LAG_BUCKETS.index(0.025)
LAG, MEMORY, SETTLING = "lag: ", "memory: ", "settling: "


def connection_panels(curves: Mapping[str, list[float]]) -> list[Callable[[Axes], None]]:
    """None when nothing of it was measured."""
    kinds = ((LAG, _lags), (MEMORY, _memories), (SETTLING, _settling))
    found = [(draw, {name: each for name, each in curves.items() if name.startswith(kind)}) for kind, draw in kinds]
    return [partial(draw, curves=mine) for draw, mine in found if mine]


def _lags(axes: Axes, curves: Mapping[str, list[float]]) -> None:
    """Turns by their length; counts on a logarithmic scale, because the few long ones are what matters."""
    bounds = [f"{1000 * bound:g}" for bound in LAG_BUCKETS]
    names = [f"<= {bounds[0]}", *bounds[1:], "more"]
    width = 0.8 / len(curves)
    for place, (name, counts) in enumerate(curves.items()):
        shifted = [index + (place - (len(curves) - 1) / 2) * width for index in range(len(counts))]
        axes.bar(shifted, counts, width=width, label=name.removeprefix(LAG))
    axes.axvline(HELD + 0.5, color=ORANGE, linestyle="--", label="25 ms")
    axes.set_yscale("log")
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=45)
    axes.set_xlabel("ms a turn, at most (last round)")
    axes.set_ylabel("turns")
    axes.set_title("How long the event loop is held")
    axes.legend(fontsize=8)


def _memories(axes: Axes, curves: Mapping[str, list[float]]) -> None:
    for name, values in curves.items():
        axes.plot(values, label=name.removeprefix(MEMORY))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("s (last round)")
    axes.set_ylabel("MiB")
    axes.set_title("Memory of the server while connections are held")
    axes.legend(fontsize=8)


def _settling(axes: Axes, curves: Mapping[str, list[float]]) -> None:
    for name, values in curves.items():
        shares = [100 * (index + 1) / len(values) for index in range(len(values))]
        axes.plot(values, shares, label=name.removeprefix(SETTLING))
    axes.set_xlim(left=0)
    axes.set_ylim(0, 101)
    axes.set_xlabel("ms from the cut to the first board (last round)")
    axes.set_ylabel("% of clients")
    axes.set_title("A storm of reconnects")
    axes.legend(fontsize=8, loc="lower right")
