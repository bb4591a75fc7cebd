"""The picture of a run: a panel for each thing that was measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.connection_plot import connection_panels
from tests.bench.figure import Row
from tests.bench.ranking_plot import ranking_panels
from tests.bench.report import STAGES_SHOWN, Report

BLUE, ORANGE, GREY = "#1f77b4", "#e07b39", "#888888"
Panel = Callable[[Axes], None]


def save(report: Report, path: Path) -> None:
    """Draw what there is; nothing is written when there is nothing."""
    panels = _panels(report)
    if not panels:
        return
    mpl.use("Agg")
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(7.5 * columns, 4.6 * lines), layout="constrained")
    for index, panel in enumerate(panels):
        panel(figure.add_subplot(lines, columns, index + 1))
    machine = report.machine
    figure.suptitle(f"{machine['processor']}, {machine['python']}, {machine['when']}", fontsize=10)
    figure.savefig(path, dpi=110)


def _panels(report: Report) -> list[Panel]:
    rows = {row.figure.key: row for rows in report.rows.values() for row in rows}
    panels: list[Panel] = []
    if "per_s" in rows:
        chosen = [rows["per_s"], rows["keyed_per_s"]]
        panels.append(lambda axes: _bars(axes, chosen, "Cycles of token and increment"))
        panels.append(lambda axes: _curves(axes, report.curves, ("token", "increment"), "Latency at full load"))
    if "screen_p99" in rows:
        panels.append(lambda axes: _curves(axes, report.curves, ("screen",), "Submit to screen", rows["screen_p99"]))
    if "delivery_us" in rows:
        cost = [rows["delivery_us"], rows["busy_delivery_us"]]
        panels.append(lambda axes: _bars(axes, cost, "Processor time a delivery"))
    if "rss_n" in rows:
        memory = [rows[key] for key in ("rss_0", "rss_n", "pss_0", "pss_n")]
        panels.append(lambda axes: _bars(axes, memory, "Memory of the server"))
    for key, title in (
        ("cycles_per_s", "Cycles side by side"),
        ("delivery_us", "Processor time a delivery, tick 1 s"),
        ("busy_delivery_us", "Processor time a delivery, tick 0.1 s"),
    ):
        sides = [row for name, row in rows.items() if name.startswith(f"{key}: ") and row.figure.unit != "ratio"]
        if sides:
            panels.append(partial(_bars, rows=sides, title=title))
    panels += ranking_panels(rows)
    panels += connection_panels(report.curves)
    if report.profile is not None:
        panels.append(lambda axes: _rooms(axes, report))
    return panels


def _bars(axes: Axes, rows: list[Row], title: str) -> None:
    """Medians as bars, each round as a dot, the mark as a line."""
    for place, row in enumerate(rows):
        axes.barh(place, row.median, height=0.55, color=BLUE, alpha=0.75)
        axes.plot(row.values, [place] * len(row.values), "o", color="black", markersize=4, alpha=0.6)
        if row.figure.mark is not None:
            axes.axvline(row.figure.mark.value, color=ORANGE, linestyle="--", label=f"mark {row.figure.mark}")
    axes.set_yticks(range(len(rows)), [row.figure.side or row.figure.label for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(rows[0].figure.unit)
    axes.set_title(title)
    _legend(axes)


def _curves(
    axes: Axes, curves: dict[str, list[float]], names: tuple[str, ...], title: str, marked: Row | None = None
) -> None:
    """The share of samples that took at most so long."""
    for name, colour in zip(names, (BLUE, ORANGE), strict=False):
        values = curves.get(name, [])
        shares = [100 * (index + 1) / len(values) for index in range(len(values))]
        axes.plot(values, shares, color=colour, label=name)
    if marked is not None and marked.figure.mark is not None:
        axes.axvline(marked.figure.mark.value, color=ORANGE, linestyle="--", label=f"mark for p99 {marked.figure.mark}")
    axes.axhline(99, color=GREY, linewidth=0.7, linestyle=":")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 101)
    axes.set_xlabel("ms (last round)")
    axes.set_ylabel("% of samples")
    axes.set_title(title)
    _legend(axes)


def _rooms(axes: Axes, report: Report) -> None:
    assert report.profile is not None
    stages = report.profile.stages[:STAGES_SHOWN]
    axes.barh(
        range(len(stages)), [stage.served_us for stage in stages], color=ORANGE, label="with Trio's on its behalf"
    )
    axes.barh(range(len(stages)), [stage.own_us for stage in stages], height=0.45, color=BLUE, label="own")
    axes.set_yticks(range(len(stages)), [stage.room for stage in stages], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("us a cycle")
    axes.set_title("The server's processor time of one cycle")
    _legend(axes)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        axes.legend(unique.values(), unique.keys(), fontsize=8, loc="lower right")
