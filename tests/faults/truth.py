"""What is on disk, and what the workers and the screens make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.faults.checker import LedgerRow, Truth
from tests.faults.journal import Shown
from tests.faults.periods import Periods
from tests.faults.stores import StoreProcess, rows_of

TOP, DAILY = "leaderboard.top100", "leaderboard.daily.top100"
BOARD_OF = {TOP: "", DAILY: "&period=DAILY"}

LEDGER = """
SELECT user_id, version, score_increment, new_score, operation_id, to_us(coalesce(occurred_at, created_at)),
       to_us(created_at)
FROM score_updates
"""
BOARD = """
SELECT row_number() OVER (ORDER BY score DESC, reached_at, user_id), user_id, score FROM users ORDER BY 1 LIMIT 100
"""


async def truth_of(postgres: StoreProcess, periods: Periods, now_us: int) -> Truth:
    """All of it, while nobody writes. The daily board is that of the moment `now_us`."""
    ledger = [
        LedgerRow(row[0], int(row[1]), int(row[2]), int(row[3]), row[4], int(row[5]), int(row[6]))
        for row in await rows_of(postgres, LEDGER)
    ]
    totals = {row[0]: int(row[1]) for row in await rows_of(postgres, "SELECT user_id, score FROM users")}
    keys = await rows_of(postgres, "SELECT user_id, idempotency_key, score FROM idempotency_keys")
    top = [Shown(int(row[0]), row[1], int(row[2])) for row in await rows_of(postgres, BOARD)]
    days = periods.all("DAILY", [row.occurred_us for row in ledger])
    spans = [(day.start_us, day.end_us) for day in days]
    by_key = {(row[0], row[1]): int(row[2]) for row in keys}
    truth = Truth(ledger, totals, by_key, {TOP: tuple(top), DAILY: ()}, {DAILY: spans})
    return replace(truth, boards={**truth.boards, DAILY: day_at(truth, periods, now_us)})


def day_at(truth: Truth, periods: Periods, moment_us: int) -> tuple[Shown, ...]:
    """The board of the day in which that moment lies; it is sorted once."""
    day = periods.holding("DAILY", moment_us)
    if day.start_us not in truth.days:
        truth.days[day.start_us] = period_board(truth.ledger, (day.start_us, day.end_us))
    return truth.days[day.start_us]


def period_board(ledger: Sequence[LedgerRow], span: tuple[int, int]) -> tuple[Shown, ...]:
    """A sort of what was gained within a period, as its board and its archive must have it."""
    gained: dict[str, tuple[int, int]] = {}
    for row in sorted(ledger, key=lambda row: (row.user_id, row.version)):
        if span[0] <= row.occurred_us < span[1]:
            gained[row.user_id] = gained.get(row.user_id, (0, 0))[0] + row.points, row.reached_us
    order = sorted((-score, reached, user_id) for user_id, (score, reached) in gained.items())
    return tuple(Shown(at, user_id, -score) for at, (score, _, user_id) in enumerate(order, 1))
