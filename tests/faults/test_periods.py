"""The calendar of the checker, and what it finds in an archive; it is given doctored ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from actors.leaderboard.calendar import span_of
from actors.ports import Period
from tests.faults.archives import Archived, wrong_archives
from tests.faults.checker import LedgerRow
from tests.faults.journal import Shown
from tests.faults.periods import DAY_US, KINDS, Periods
from tests.faults.zone import offset_that_ends

HOUR_US = 3_600_000_000
#: A Monday; in a zone an hour ahead of UTC it begins an hour before.
MONDAY_US = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 1_000_000
PERIODS = Periods(3600)
DAY = PERIODS.holding("DAILY", MONDAY_US)
LEDGER = (
    LedgerRow("ada", 1, 1, 1, "o1", MONDAY_US - 2 * HOUR_US, MONDAY_US - 2 * HOUR_US),
    LedgerRow("ada", 2, 7, 8, "o2", MONDAY_US - HOUR_US, MONDAY_US),
    LedgerRow("bob", 1, 2, 2, "o3", MONDAY_US, MONDAY_US + 1),
)
TOLD = Archived(DAY, 2, (Shown(1, "ada", 7), Shown(2, "bob", 2)))
BEFORE = Archived(PERIODS.holding("DAILY", DAY.start_us - 1), 1, (Shown(1, "ada", 1),))


@pytest.mark.parametrize("kind", KINDS)
def test_periods_are_those_that_everybody_knows(kind: str) -> None:
    """Counted in another way than the server does, over the end of a year."""
    zone = ZoneInfo("Etc/GMT-1")
    for hour in range(0, 24 * 120, 7):
        moment_us = MONDAY_US + hour * HOUR_US
        span = span_of(Period[kind], zone, moment_us)
        assert (span.label, span.start_us, span.end_us) == PERIODS.holding(kind, moment_us)


def test_periods_are_told_once_and_in_order() -> None:
    """Of moments in whatever order."""
    moments = [MONDAY_US + days * DAY_US for days in (8, 0, 1, 0)]
    assert ["2026-W48", "2026-W49"] == [week.label for week in PERIODS.all("WEEKLY", moments)]


def test_a_zone_ends_its_day_when_it_is_told_to() -> None:
    """Wherever on the earth that is."""
    for at_s in (MONDAY_US // 1_000_000 + hours * 3600 for hours in range(24)):
        assert Periods(offset_that_ends(at_s)).holding("DAILY", at_s * 1_000_000).start_us == at_s * 1_000_000


def wrong(*told: Archived, over_us: int = DAY.end_us) -> list[str]:
    """What is found, in words."""
    found = list(wrong_archives("it", "DAILY", told, LEDGER, PERIODS, over_us))
    assert all(finding.kind == "archive" for finding in found)
    return [finding.what for finding in found]


def test_a_true_archive_is_taken() -> None:
    """Also one that lacks what is not over for long, and one that is not final yet."""
    assert [] == wrong(TOLD, BEFORE)
    assert [] == wrong(replace(TOLD, players=None), BEFORE)
    assert [] == wrong(BEFORE, over_us=DAY.start_us)


def test_what_was_written_down_just_now_is_not_missing_yet() -> None:
    """In a day that was long over then: by a clock that was set."""
    late = [row._replace(reached_us=DAY.end_us + 1) for row in LEDGER if row.occurred_us >= DAY.start_us]
    assert [] == list(wrong_archives("it", "DAILY", (BEFORE,), [LEDGER[0], *late], PERIODS, DAY.end_us))


@pytest.mark.parametrize(
    "told",
    [
        (BEFORE,),
        (BEFORE, TOLD),
        (TOLD, TOLD, BEFORE),
        (replace(TOLD, rows=TOLD.rows[:1]), BEFORE),
        (replace(TOLD, rows=(Shown(1, "ada", 8), TOLD.rows[1])), BEFORE),
        (replace(TOLD, players=3), BEFORE),
        (replace(TOLD, stretch=DAY._replace(end_us=DAY.end_us + 1)), BEFORE),
        (replace(TOLD, stretch=DAY._replace(label="2026-11-24")), BEFORE),
    ],
    ids=["a day away", "the oldest first", "twice", "a row away", "a sum", "a count", "an end", "a name"],
)
def test_a_doctored_archive_is_found(told: tuple[Archived, ...]) -> None:
    """One thing at a time."""
    assert wrong(*told)


def test_who_was_hidden_stays_in_what_was_closed_before() -> None:
    """And is in none that ended later; where its rows are away, it may have been away already."""
    [first, second] = TOLD.rows
    since_us = {first.user_id: DAY.end_us + 1.0}
    assert [] == hidden(TOLD, since_us)
    without = (Shown(1, second.user_id, second.score),)
    assert [] == hidden(replace(TOLD, rows=without, players=1), since_us)
    assert ["erased"] == hidden(TOLD, {first.user_id: float(DAY.end_us)})


def hidden(told: Archived, since_us: dict[str, float]) -> list[str]:
    """Kinds of what is found where these were hidden then."""
    found = wrong_archives("it", "DAILY", (told, BEFORE), LEDGER, PERIODS, DAY.end_us, since_us)
    return [finding.kind for finding in found if "ada" in finding.what or finding.kind == "erased"]
