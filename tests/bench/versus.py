"""The table of a comparison: a line for each quantity, a column for each side, and columns for their ratios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from rich.table import Table

from tests.bench.figure import Figure, Mark, Reading, Row

OURS = "ours"


def ratio_side(peer: str, mine: str = OURS) -> str:
    """The column of what one side has over what a peer has."""
    return f"{mine} / {peer}"


def compared(label: str, unit: str, key: str, peers: Sequence[str], marks: Mapping[str, Mark]) -> list[Figure]:
    """A quantity of every side, and the ratio to each peer with its mark."""
    return counted(label, unit, key, peers) + [ratio(label, key, OURS, peer, marks.get(peer)) for peer in peers]


def ratio(label: str, key: str, mine: str, peer: str, mark: Mark | None = None) -> Figure:
    """A quantity of one side over a peer's."""
    return Figure(side_key(key, ratio_side(peer, mine)), label, "ratio", mark, ratio_side(peer, mine))


def counted(label: str, unit: str, key: str, peers: Sequence[str], mine: str = OURS) -> list[Figure]:
    """A quantity of every side of which a ratio would mean nothing."""
    return [Figure(side_key(key, side), label, unit, side=side) for side in (mine, *peers)]


def side_key(key: str, side: str) -> str:
    """What a figure of one side is called in the readings and in the JSON."""
    return f"{key}: {side}"


def in_turn(sides: Iterable[str], number: int) -> list[str]:
    """The order of the sides in this round: whoever was first is last in the next one."""
    names = list(sides)
    turn = number % len(names)
    return names[turn:] + names[:turn]


def with_ratios(values: dict[str, dict[str, float]]) -> Reading:
    """A round's reading from quantities by side and key; each ratio is of two values of the same round."""
    found = {side_key(key, side): value for side, told in values.items() for key, value in told.items()}
    for mine, peer in permutations(values, 2):
        for key in values[mine].keys() & values[peer].keys():
            if values[peer][key]:
                found[side_key(key, ratio_side(peer, mine))] = values[mine][key] / values[peer][key]
    return Reading(found)


def comparison(name: str, rows: Sequence[Row]) -> Table:
    """Medians of all rounds, with the least and the greatest of ratios; marks stand by the ratios they are for."""
    sides = list(dict.fromkeys(row.figure.side for row in rows))
    table = Table("", title=f"{name}: medians of all rounds side by side", title_justify="left")
    table.add_column("unit", no_wrap=True)
    for side in sides:
        table.add_column(side, justify="right")
    by_place = {(row.figure.label, row.figure.side): row for row in rows}
    for label in dict.fromkeys(row.figure.label for row in rows):
        here = [by_place.get((label, side)) for side in sides]
        unit = next(row.figure.unit for row in here if row is not None)
        table.add_row(label, unit, *("" if row is None else _cell(row) for row in here))
    return table


def _cell(row: Row) -> str:
    if row.figure.unit != "ratio":
        return number(row.median)
    spread = f"{row.median:.2f} [dim]({min(row.values):.2f}..{max(row.values):.2f})[/]"
    if row.reached is None:
        return spread
    colour = "green" if row.reached else "red"
    return f"{spread}\n[{colour}]{row.figure.mark}: {'yes' if row.reached else 'no'}[/]"


def number(value: float) -> str:
    """With as many digits as mean something."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
