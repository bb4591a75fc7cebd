"""The tables that people read and the JSON that programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Row
from tests.bench.measures.stages import Profile
from tests.bench.versus import comparison, number

STAGES_SHOWN = 20
INCLUSIVE_SHOWN = 30


@dataclass(slots=True)
class Report:
    """All that a run found out."""

    machine: dict[str, str]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    profile: Profile | None = None

    def show(self, console: Console) -> None:
        """Print everything."""
        for name, value in self.machine.items():
            console.print(f"[bold]{name:>12}[/]  {value}", highlight=False)
        plain = {name: rows for name, rows in self.rows.items() if not rows or not rows[0].figure.side}
        if plain:
            console.print(_figures(plain))
        for name, rows in self.rows.items():
            if name not in plain:
                console.print(comparison(name, rows))
        if self.profile is not None:
            console.print(_stages(self.profile))
            console.print(_inclusive(self.profile))

    def save(self, path: Path) -> None:
        """As JSON, with the value of every round."""
        path.write_text(json.dumps(self._as_json(), indent=1) + "\n", encoding="utf-8")

    def _as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"machine": self.machine, "measures": {}}
        for name, rows in self.rows.items():
            found["measures"][name] = {row.figure.key: _row_json(row) for row in rows}
        found["curves"] = self.curves
        if self.profile is not None:
            by_room = {stage.room: {"own": stage.own_us, "with_trio": stage.served_us} for stage in self.profile.stages}
            found["stages_us"] = {"cycle": self.profile.cycle_us, "rooms": by_room}
        return found


def _row_json(row: Row) -> dict[str, Any]:
    figure = row.figure
    mark = None if figure.mark is None else str(figure.mark)
    return {
        "label": figure.label,
        **({"side": figure.side} if figure.side else {}),
        "unit": figure.unit,
        "median": row.median,
        "rounds": row.values,
        "mark": mark,
        "reached": row.reached,
    }


def _figures(by_measure: Mapping[str, list[Row]]) -> Table:
    table = Table("measure", title="Medians of all rounds", title_justify="left")
    table.add_column("figure", no_wrap=True)
    for heading in ("median", "least", "greatest"):
        table.add_column(heading, justify="right")
    for heading in ("unit", "mark", "reached"):
        table.add_column(heading)
    for name, rows in by_measure.items():
        for index, row in enumerate(rows):
            values = (number(row.median), number(min(row.values)), number(max(row.values)))
            mark = "" if row.figure.mark is None else str(row.figure.mark)
            first = name if index == 0 else ""
            table.add_row(first, row.figure.label, *values, row.figure.unit, mark, _verdict(row.reached))
        table.add_section()
    return table


def _stages(profile: Profile) -> Table:
    title = f"Where the server's {profile.cycle_us:,.0f} us of processor time a cycle go, by room"
    table = Table("room or library", title=title, title_justify="left")
    for heading in ("own us", "with Trio's on its behalf", "%"):
        table.add_column(heading, justify="right")
    for stage in profile.stages[:STAGES_SHOWN]:
        share = 100 * stage.served_us / profile.cycle_us
        table.add_row(stage.room, number(stage.own_us), number(stage.served_us), f"{share:.1f}")
    return table


def _inclusive(profile: Profile) -> Table:
    table = Table(
        "function, with all that it calls", title="Processor time by function, us a cycle", title_justify="left"
    )
    table.add_column("us", justify="right")
    for name, us in profile.inclusive[:INCLUSIVE_SHOWN]:
        table.add_row(name, number(us))
    return table


def _verdict(reached: bool | None) -> str:  # noqa: FBT001 - it is what the row says
    return "" if reached is None else "[green]yes[/]" if reached else "[red]no[/]"
