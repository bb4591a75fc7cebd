"""Whether what clients were told and shown fits what is on disk. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.faults.journal import Operation, Screen, Shown
from tests.faults.periods import Stretch

ALWAYS = (-(1 << 62), 1 << 62)


class LedgerRow(NamedTuple):
    """One score on disk. `occurred_us` is the time of the action, by which it belongs to a period."""

    user_id: str
    version: int
    points: int
    score: int
    operation_id: str
    occurred_us: int
    reached_us: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What is on disk: the ledger, every player's total, and of each key the total that it led to."""

    ledger: Sequence[LedgerRow]
    totals: Mapping[str, int]
    keys: Mapping[tuple[str, str], int]
    #: Boards as a sort of all players, by channel.
    boards: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict)
    #: Of a channel that shows a period: when those begin and end that it may have shown, in microseconds.
    spans: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    #: Who is on no board: banned or erased.
    hidden: frozenset[str] = frozenset()
    #: Boards of periods that somebody has asked for.
    sorted: dict[Stretch, tuple[Shown, ...]] = field(default_factory=dict)


class Finding(NamedTuple):
    """Something that must not be: of what kind, and what exactly."""

    kind: str
    what: str


def findings_of(operations: Sequence[Operation], truth: Truth) -> list[Finding]:
    """What is wrong with the ledger, by itself and beside what was told."""
    return [*_of_ledger(truth), *_of_operations(operations, truth)]


def _of_ledger(truth: Truth) -> Iterator[Finding]:
    for operation, times in Counter(row.operation_id for row in truth.ledger).items():
        if times > 1:
            yield Finding("doubled", f"operation {operation} stands {times} times in the ledger")
    totals: dict[str, int] = defaultdict(int)
    versions: dict[str, int] = defaultdict(int)
    for row in sorted(truth.ledger, key=lambda row: (row.user_id, row.version)):
        totals[row.user_id] += row.points
        if row.score != totals[row.user_id]:
            yield Finding("sum", f"{row} says {row.score} where the points make {totals[row.user_id]}")
            totals[row.user_id] = row.score
        if row.version <= versions[row.user_id]:
            yield Finding("order", f"{row} has a version that stands before it")
        versions[row.user_id] = row.version
    for user_id, total in truth.totals.items():
        if total != totals[user_id]:
            yield Finding("sum", f"{user_id} has {total} where the ledger makes {totals[user_id]}")


def _of_operations(operations: Sequence[Operation], truth: Truth) -> Iterator[Finding]:
    rows = {(row.user_id, row.score): row for row in truth.ledger}
    claimed: dict[tuple[str, int], Operation] = {}
    for operation in operations:
        yield from _of_answers(operation)
        score = operation.told[0].score if operation.told else truth.keys.get((operation.user_id, operation.key))
        if score is None:
            continue
        if operation.refused is not None and not operation.told:
            yield Finding("refused", f"{operation} was refused and counts")
        place = operation.user_id, score
        if place not in rows:
            yield Finding("lost", f"{operation} was acknowledged and is not in the ledger")
        elif rows[place].points != operation.points:
            yield Finding("sum", f"{operation} counts as {rows[place].points}")
        if place in claimed:
            yield Finding("lost", f"{operation} and {claimed[place]} were told of one row")
        claimed[place] = operation
    for place in rows.keys() - claimed.keys():
        yield Finding("doubled", f"{rows[place]} is nobody's: nobody asked for it, or it counts once more")


def _of_answers(operation: Operation) -> Iterator[Finding]:
    """All answers to one operation say the same total, and only the first that it is new."""
    if len({told.score for told in operation.told}) > 1:
        yield Finding("doubled", f"{operation} was told several totals")
    elif operation.way != "batch" and len({told[:3] for told in operation.told}) > 1:
        yield Finding("order", f"{operation} was told several ranks with one key")
    if sum(not told.repeated for told in operation.told) > 1:
        yield Finding("doubled", f"{operation} was told more than once that it is new")
    if operation.sent == 1 and any(told.repeated for told in operation.told):
        yield Finding("lost", f"{operation} was sent once and told to be known")
    for told in operation.told:
        if told.previous_rank is not None and told.new_rank is not None and told.new_rank > told.previous_rank:
            yield Finding("order", f"{operation} made its player fall")


# --- what was shown ---


def false_screens(screens: Iterable[Screen], truth: Truth) -> Iterator[Finding]:
    """Screens that show what never was, or go back in time."""
    ever = {channel: _totals_ever(truth, truth.spans.get(channel, (ALWAYS,))) for channel in truth.boards}
    newest: dict[tuple[str, str, int], Screen] = {}
    for screen in screens:
        yield from _out_of_order(screen)
        for row in screen.rows:
            if row.score not in ever[screen.channel].get(row.user_id, ()):
                yield Finding("shown", f"{screen.spectator} saw {row} on {screen.channel}, which never was")
        of = screen.spectator, screen.channel, screen.connection
        before = newest.get(of)
        if before is not None and before.epoch == screen.epoch:
            yield from _backwards(before, screen)
        newest[of] = screen


def _totals_ever(truth: Truth, spans: Sequence[tuple[int, int]]) -> dict[str, set[int]]:
    """All totals that each player ever had, on a board of all time or of one of these periods."""
    ever: dict[str, set[int]] = {user_id: {0} for user_id in truth.totals}
    ends = sorted(end for _, end in spans)  # one begins where another ends, or later
    firsts = {end: first for first, end in spans}
    totals: dict[tuple[str, int], int] = defaultdict(int)
    for row in sorted(truth.ledger, key=lambda row: (row.user_id, row.version)):
        at = bisect_right(ends, row.occurred_us)
        if at < len(ends) and firsts[ends[at]] <= row.occurred_us:
            totals[row.user_id, at] += row.points
            ever[row.user_id].add(totals[row.user_id, at])
    return ever


def _out_of_order(screen: Screen) -> Iterator[Finding]:
    for above, below in pairwise(screen.rows):
        if above.score < below.score or below.rank != above.rank + 1:
            yield Finding("order", f"{screen.spectator} saw {above} above {below} on {screen.channel}")


def _backwards(before: Screen, after: Screen) -> Iterator[Finding]:
    if after.version < before.version:
        yield Finding("order", f"{after.spectator} went from version {before.version} back to {after.version}")
    scores = {row.user_id: row.score for row in before.rows}
    for row in after.rows:
        if row.score < scores.get(row.user_id, 0):
            yield Finding("shown", f"{after.spectator} saw {row.user_id} fall to {row.score} on {after.channel}")


def unlike(name: str, shown: Sequence[Shown], true: Sequence[Shown]) -> Finding | None:
    """How a board differs from the true one, if it does."""
    if list(shown) == list(true):
        return None
    place = next((at for at, (one, other) in enumerate(zip(shown, true, strict=False)) if one != other), None)
    if place is None:
        return Finding("stale", f"{name} has {len(shown)} rows instead of {len(true)}")
    return Finding("stale", f"{name} shows {shown[place]} instead of {true[place]}")


def unlike_all(name: str, shown: Sequence[Shown], trues: Sequence[Sequence[Shown]]) -> Finding | None:
    """The same, where one of several may be shown; those stand in order, the likeliest first."""
    found = [unlike(name, shown, true) for true in trues]
    return None if None in found else found[0]


def median_and_most(values: Sequence[float]) -> tuple[float, float]:
    """Of what was measured; zeros of nothing."""
    ordered = sorted(values)
    return (ordered[len(ordered) // 2], ordered[-1]) if ordered else (0.0, 0.0)
