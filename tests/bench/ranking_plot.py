"""Cost against the number of players, a line for each candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from matplotlib.axes import Axes

from tests.bench.figure import Row
from tests.bench.measures.ranking import SIZES, key_of
from tests.bench.rankings.candidates import CANDIDATES

TITLES = {
    "step_us": "Update with both ranks, a point more",
    "jump_us": "Update with both ranks, anywhere",
    "memory_mb": "Memory of the ranked state",
    "load_s": "Load",
}


def ranking_panels(rows: Mapping[str, Row]) -> list[Callable[[Axes], None]]:
    """None when ranking was not measured."""
    found = [quantity for quantity in TITLES if any(name.startswith(f"{quantity} of ") for name in rows)]
    return [partial(_lines, rows=rows, quantity=quantity) for quantity in found]


def _lines(axes: Axes, rows: Mapping[str, Row], quantity: str) -> None:
    """Medians by size; the mark where it holds."""
    for side in CANDIDATES:
        here = {size: rows[key] for size in SIZES if (key := key_of(quantity, size, side)) in rows}
        axes.plot(list(here), [row.median for row in here.values()], "o-", label=side, markersize=4)
        for size, row in here.items():
            axes.set_ylabel(row.figure.unit)
            if row.figure.mark is not None:
                axes.plot([size], [row.figure.mark.value], "_", color="black", markersize=24, label="mark")
    axes.set_xscale("log")
    axes.set_yscale("log" if quantity in {"memory_mb", "load_s"} else "linear")
    axes.set_xlabel("players")
    axes.set_title(TITLES[quantity])
    axes.legend(fontsize=8)
