"""The table from the server beside the one computed from the file, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich import box
from rich.table import Table
from rich.text import Text

from scoreboard.replay.accounts import ServerRow
from scoreboard.replay.football import Standing

NAMED = 3  # teams that the last line names when there are differences


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One team; the server's rank is among the teams of the replay, and None like its points if it has no such team."""

    team: str
    points: int
    server_rank: int | None
    server_points: int | None

    @property
    def agrees(self) -> bool:
        """Whether both have the same points."""
        return self.points == self.server_points


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both tables. `in_order` says that the server's rows came with falling points and rising ranks."""

    rows: tuple[ReportRow, ...]
    in_order: bool

    @property
    def agrees(self) -> bool:
        """Whether server and file agree: every team's points, and the order."""
        return self.in_order and all(row.agrees for row in self.rows)


def compare(file: Sequence[Standing], server: Sequence[ServerRow], user_ids: Mapping[str, str]) -> Comparison:
    """Set the two tables side by side; `user_ids` says which account is which team's.

    Teams with equal points stand as the server has them: it knows who was there first, the file does not.
    """
    places = {row.user_id: (place, row.points) for place, row in enumerate(server, start=1)}
    rows = []
    for standing in file:
        place, points = places.get(user_ids[standing.team], (None, None))
        rows.append(ReportRow(standing.team, standing.points, place, points))
    rows.sort(key=lambda row: (-row.points, row.server_rank or math.inf, row.team))
    in_order = all(upper.points >= lower.points and upper.rank < lower.rank for upper, lower in pairwise(server))
    return Comparison(tuple(rows), in_order)


def render(comparison: Comparison, title: str) -> Table:
    """The tables for a terminal of 80 columns; differences are marked with a word, not only with colour."""
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for name in ("Rank", "Team", "File", "Server", "Server rank", ""):
        table.add_column(name, justify="left" if name in {"Team", ""} else "right")
    for rank, row in enumerate(comparison.rows, start=1):
        table.add_row(
            str(rank),
            Text(row.team),
            str(row.points),
            "-" if row.server_points is None else str(row.server_points),
            "-" if row.server_rank is None else str(row.server_rank),
            "" if row.agrees else Text("differs", style="bold red"),
        )
    return table


def verdict(comparison: Comparison) -> str:
    """The last line: who leads, and whether both agree."""
    rows = comparison.rows
    if comparison.agrees:
        leaders = " and ".join(row.team for row in rows if row.points == rows[0].points)
        total = sum(row.points for row in rows)
        return (
            f"{leaders} lead with {rows[0].points} points: server and file agree ({len(rows)} teams, {total:,} points)"
        )
    wrong = [row for row in rows if not row.agrees]
    if not wrong:
        return "Server and file differ: every team has its points, but the server's order is wrong"
    names = ", ".join(f"{row.team} ({row.points} in the file, {_said(row)} on the server)" for row in wrong[:NAMED])
    more = ", ..." if len(wrong) > NAMED else ""
    return f"Server and file differ in {len(wrong)} of {len(rows)} teams: {names}{more}"


def _said(row: ReportRow) -> str:
    return "missing" if row.server_points is None else str(row.server_points)
