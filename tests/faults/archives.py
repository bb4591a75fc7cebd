"""What the archive says of each period that is over, beside what was gained in it. The judgement is pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.faults.checker import Finding, LedgerRow, unlike
from tests.faults.journal import Shown
from tests.faults.line import Line
from tests.faults.periods import KINDS, Periods, Stretch
from tests.faults.truth import period_board

#: So many rows are asked for at once: fewer than there are players.
PAGE = 7
NOBODY: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Archived:
    """One period as a worker tells it. `players` is None as long as it is not final."""

    stretch: Stretch
    players: int | None
    rows: tuple[Shown, ...]


def wrong_archives(
    name: str,
    kind: str,
    told: Sequence[Archived],
    ledger: Sequence[LedgerRow],
    periods: Periods,
    over_us: int,
    hidden: Mapping[str, float] = NOBODY,
) -> Iterator[Finding]:
    """What does not fit the ledger, and what is missing of the periods that ended, and were played, before that moment.

    Who was `hidden` then, in microseconds, stays in what was closed before, and is in none that ended later.
    """
    for each in told:
        if each.stretch != periods.holding(kind, each.stretch.start_us):
            yield Finding("archive", f"{name} has a period that never was: {each.stretch}")
        shown = {row.user_id for row in each.rows}
        for user_id, since_us in hidden.items():
            if user_id in shown and since_us <= each.stretch.end_us:
                yield Finding("erased", f"{name} has {user_id} in {each.stretch}, who was hidden before")
        true = period_board(ledger, each.stretch[1:], hidden.keys() - shown)
        if (found := unlike(f"{name}'s {each.stretch.label}", each.rows, true)) is not None:
            yield Finding("archive", found.what)
        if each.players not in (None, len(true)):
            yield Finding("archive", f"{name} says {each.players} players of {each.stretch}, where {len(true)} gained")
    starts = [each.stretch.start_us for each in told]
    if starts != sorted(set(starts), reverse=True):
        yield Finding("archive", f"{name} tells periods twice or out of order: {starts}")
    for stretch in periods.all(kind, _gained_by(over_us, ledger)):
        if stretch.end_us <= over_us and stretch.start_us not in starts:
            yield Finding("archive", f"{name} lacks {stretch.label}")


def _gained_by(moment_us: int, ledger: Sequence[LedgerRow]) -> list[int]:
    """When what was gained; what was written down later may be filed in a day long over, by a clock that was set."""
    return [row.occurred_us for row in ledger if row.points > 0 and row.reached_us <= moment_us]


async def told_by(line: Line, kind: str) -> list[Archived]:
    """All that a worker tells of periods of this kind. Raises Cut, or KeyError if it does not tell."""
    path = f"/api/v1/leaderboard/archive?period={kind}"
    listed = (await line.ask("GET", f"{path}&limit=100")).json()["data"]["periods"]
    return [await _told(line, f"{path}&label={each['label']}", each) for each in listed]


async def _told(line: Line, path: str, of: dict[str, Any]) -> Archived:
    rows: list[Shown] = []
    while True:
        page = (await line.ask("GET", f"{path}&limit={PAGE}&offset={len(rows)}")).json()["data"]
        rows += rows_in(page)
        if not page["leaderboard"] or len(rows) >= page["totalUsers"]:
            break
    return Archived(Stretch(of["label"], _us(of["startsAt"]), _us(of["endsAt"])), of["players"], tuple(rows))


def rows_in(data: dict[str, Any]) -> list[Shown]:
    """Of a board or of a page."""
    return [Shown(int(row["rank"]), str(row["userId"]), int(row["score"])) for row in data["leaderboard"]]


def _us(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1_000_000)


__all__ = ["KINDS", "PAGE", "Archived", "rows_in", "told_by", "wrong_archives"]
