"""What is on disk, and what the workers and the screens make of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from scoreboard.stores.embedded_postgres import DATABASE
from tests.faults.checker import LedgerRow, Truth
from tests.faults.journal import Shown
from tests.faults.periods import Periods
from tests.faults.stores import StoreProcess, rows_of

TOP = "leaderboard.top100"
DAILY, WEEKLY, MONTHLY = (f"leaderboard.{kind}.top100" for kind in ("daily", "weekly", "monthly"))
#: Channels of boards of periods, and of which.
PERIOD_OF = {DAILY: "DAILY", WEEKLY: "WEEKLY", MONTHLY: "MONTHLY"}
#: What is asked for to see the board of a channel.
BOARD_OF = {TOP: "", **{channel: f"&period={kind}" for channel, kind in PERIOD_OF.items()}}

LEDGER = """
SELECT user_id, version, score_increment, new_score, operation_id, to_us(coalesce(occurred_at, created_at)),
       to_us(created_at)
FROM score_updates
"""
#: Also those that were purged meanwhile: of them nobody could say any more what became of an operation.
KEYS = """
SELECT user_id, idempotency_key, score FROM idempotency_keys
UNION ALL SELECT user_id, idempotency_key, score FROM faults.purged_keys
"""
BOARD = """
SELECT row_number() OVER (ORDER BY score DESC, reached_at, user_id), user_id, score FROM users
WHERE NOT (is_banned OR is_quarantined) ORDER BY 1 LIMIT 100
"""


HIDDEN = "SELECT user_id FROM users WHERE is_banned OR is_quarantined"


async def truth_of(postgres: StoreProcess, periods: Periods, now_us: int) -> Truth:
    """All of it, while nobody writes. The boards of periods are those of the moment `now_us`."""
    ledger, totals = await ledger_of(postgres), await totals_of(postgres)
    keys = await rows_of(postgres, KEYS)
    hidden = frozenset(row[0] for row in await rows_of(postgres, HIDDEN))
    top = [Shown(int(row[0]), row[1], int(row[2])) for row in await rows_of(postgres, BOARD)]
    moments = [row.occurred_us for row in ledger]
    spans = {
        channel: [(each.start_us, each.end_us) for each in periods.all(kind, moments)]
        for channel, kind in PERIOD_OF.items()
    }
    by_key = {(row[0], row[1]): int(row[2]) for row in keys}
    truth = Truth(ledger, totals, by_key, {TOP: tuple(top)}, spans, hidden)
    now = {channel: period_at(truth, periods, kind, now_us) for channel, kind in PERIOD_OF.items()}
    return replace(truth, boards={**truth.boards, **now})


async def ledger_of(postgres: StoreProcess, database: str = DATABASE) -> list[LedgerRow]:
    """All of it, in a database of this name."""
    return [
        LedgerRow(row[0], int(row[1]), int(row[2]), int(row[3]), row[4], int(row[5]), int(row[6]))
        for row in await rows_of(postgres, LEDGER, database)
    ]


async def totals_of(postgres: StoreProcess, database: str = DATABASE) -> dict[str, int]:
    """Of each player, in a database of this name."""
    return {row[0]: int(row[1]) for row in await rows_of(postgres, "SELECT user_id, score FROM users", database)}


def period_at(truth: Truth, periods: Periods, kind: str, moment_us: int) -> tuple[Shown, ...]:
    """The board of the period of that kind in which that moment lies; it is sorted once."""
    held = periods.holding(kind, moment_us)
    if held not in truth.sorted:
        truth.sorted[held] = period_board(truth.ledger, held[1:], truth.hidden)
    return truth.sorted[held]


def period_board(ledger: Sequence[LedgerRow], span: tuple[int, int], hidden: Collection[str] = ()) -> tuple[Shown, ...]:
    """A sort of what was gained within a period, as its board and its archive must have it without who is hidden."""
    gained: dict[str, tuple[int, int]] = {}
    for row in sorted(ledger, key=lambda row: (row.user_id, row.version)):
        if span[0] <= row.occurred_us < span[1] and row.user_id not in hidden:
            gained[row.user_id] = gained.get(row.user_id, (0, 0))[0] + row.points, row.reached_us
    order = sorted((-score, reached, user_id) for user_id, (score, reached) in gained.items())
    return tuple(Shown(at, user_id, -score) for at, (score, _, user_id) in enumerate(order, 1))
