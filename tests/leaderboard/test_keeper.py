from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo

import pytest
import trio
from trio.testing import MockClock

from actors.leaderboard.keeper import ArchiveKeeper, KeeperWorld
from actors.ports import ArchivedPeriod, Period, Span, StoreUnavailable, UserId
from actors.runtime import running_actor
from tests.fakes import FakeScoreStore, Players
from tests.fakes.archive import FakeArchive
from tests.fakes.system import SetClock, TrioClock
from tests.leaderboard.stage import FAST
from tests.ledger.office import write

#: From the beginning of a test to midnight, UTC: the end of a day and of a week, but not of a month.
MIDNIGHT_S = 32_000
DAY_S = 86_400
AWAY = StoreUnavailable("away")


@dataclass
class Office:
    """An archive, the ledger that it is made from, and what its keepers did and when."""

    scores: FakeScoreStore
    archive: FakeArchive
    opened: list[tuple[float, Period, str]] = field(default_factory=list)
    closed: list[tuple[float, Period, str, int | None]] = field(default_factory=list)
    writes: int = 0

    def open(self, period: Period, span: Span) -> None:
        self.opened.append((trio.current_time(), period, span.label))

    def close(self, of: ArchivedPeriod) -> None:
        self.closed.append((trio.current_time(), of.period, of.span.label, of.players))

    async def score(self, name: str, *, ago_s: float = 0) -> None:
        """A point for something that was done so long ago."""
        self.writes += 1
        occurred_us = TrioClock().now_us() - round(ago_s * 1_000_000)
        await self.scores.commit([write(name, self.writes)._replace(occurred_us=occurred_us)])

    async def rows(self, label: str) -> list[tuple[UserId, int]]:
        page = await self.archive.page(Period.DAILY, label, limit=10)
        assert page is not None
        return [(row.user_id, row.score) for row in page.rows]

    @asynccontextmanager
    async def keepers(
        self, count: int = 1, zones: Mapping[Period, tzinfo] | None = None, clock: TrioClock | None = None
    ) -> AsyncIterator[None]:
        """So many servers run."""
        world = KeeperWorld(self.archive, clock or TrioClock(), zones or {}, self.open, self.close)
        async with AsyncExitStack() as stack:
            for number in range(count):
                keeper = running_actor(
                    f"keeper {number}", lambda: ArchiveKeeper(world), rng=random.Random(0), options=FAST
                )
                await stack.enter_async_context(keeper)
            yield


def office(*names: str) -> Office:
    """Nothing has been scored yet."""
    clock = TrioClock()
    scores = FakeScoreStore(Players(clock), clock)
    for name in names:
        scores.players.add(name)
    return Office(scores, FakeArchive(scores, clock))


async def test_a_period_is_opened_at_its_end_and_closed_when_it_has_settled_by_one_of_two(
    autojump_clock: MockClock,
) -> None:
    """Once each; the week ends with the day, the month does not."""
    at = office("a")
    async with at.keepers(2):
        await at.score("a")
        await trio.sleep(2 * DAY_S)
    assert [(period, label) for _, period, label in at.opened] == [
        (Period.DAILY, "2025-06-15"),
        (Period.WEEKLY, "2025-W24"),
    ]
    assert [moment for moment, *_ in at.opened] == pytest.approx([MIDNIGHT_S] * 2)
    assert [(period, label, players) for _, period, label, players in at.closed] == [
        (Period.DAILY, "2025-06-15", 1),
        (Period.WEEKLY, "2025-W24", 1),
    ]
    assert all(MIDNIGHT_S + 600 < moment < MIDNIGHT_S + 800 for moment, *_ in at.closed)


async def test_late_writes_are_filed_by_the_time_of_what_was_done(autojump_clock: MockClock) -> None:
    """Until the period is closed; those of nothing but late writes are found then, too."""
    at = office("a", "b")
    async with at.keepers():
        await at.score("a")
        await trio.sleep(MIDNIGHT_S + 300)
        await at.score("b", ago_s=310)
        await at.score("b", ago_s=310)
        await at.score("a")
        assert await at.rows("2025-06-15") == [("b", 2), ("a", 1)]
        await trio.sleep(2 * DAY_S)
        assert await at.rows("2025-06-15") == [("b", 2), ("a", 1)]
        assert await at.rows("2025-06-16") == [("a", 1)]


async def test_a_day_of_which_nothing_was_told_before_its_end_is_archived_as_well(autojump_clock: MockClock) -> None:
    """It is looked at again when it has settled."""
    at = office("a")
    async with at.keepers():
        await trio.sleep(MIDNIGHT_S + 60)
        await at.score("a", ago_s=90)
        await trio.sleep(1000)
        assert await at.rows("2025-06-15") == [("a", 1)]


async def test_what_was_missed_is_made_up_for_at_the_start(autojump_clock: MockClock) -> None:
    """Days in which nothing was gained have no archive."""
    at = office("a")
    await at.score("a")
    await trio.sleep(3 * DAY_S)
    await at.score("a")
    await trio.sleep(40 * DAY_S)
    async with at.keepers():
        await trio.sleep(60)
    opened = [(period.value, label) for _, period, label in at.opened]
    assert opened == [
        *(("daily", "2025-06-15"), ("daily", "2025-06-18")),
        *(("weekly", "2025-W24"), ("weekly", "2025-W25")),
        ("monthly", "2025-06"),
    ]
    assert len(at.closed) == len(opened)


async def test_what_was_missed_is_made_up_for_piece_by_piece(autojump_clock: MockClock) -> None:
    """The store has time for others after each of them; and it is not asked again from the beginning."""
    at = office("a")
    for _ in range(3):
        await at.score("a")
        await trio.sleep(30 * DAY_S)
    offered: list[tuple[float, Period, int]] = []
    really = at.archive.open

    async def notice(period: Period, spans: Sequence[Span]) -> list[Span]:
        offered.append((trio.current_time(), period, len(spans)))
        return await really(period, spans)

    at.archive.open = notice  # type: ignore[method-assign]
    began = trio.current_time()
    async with at.keepers():
        await trio.sleep(60)
    assert [(period, count) for _, period, count in offered] == [
        *((Period.DAILY, count) for count in (20, 20, 20, 20, 10)),
        *((Period.WEEKLY, 10), (Period.WEEKLY, 3), (Period.MONTHLY, 3)),
    ]
    assert [moment - began for moment, *_ in offered] == pytest.approx([0, 1, 2, 3, 4, 4, 5, 5])
    assert [moment - began for moment, *_ in at.closed] == pytest.approx(range(5, 14))
    assert len(at.opened) == len(at.closed)


async def test_a_clock_that_was_wrong_delays_no_end_of_a_day(autojump_clock: MockClock) -> None:
    """It was a day ahead when the keeper looked."""
    clock = SetClock(ahead_s=DAY_S)
    at = office("a")
    async with at.keepers(clock=clock):
        await trio.sleep(60)
        clock.ahead_s = 0
        await at.score("a")
        await trio.sleep(MIDNIGHT_S)
        assert [label for _, period, label in at.opened if period is Period.DAILY] == ["2025-06-15"]


async def test_days_end_where_the_settings_say_so(autojump_clock: MockClock) -> None:
    """Each kind of period has a zone of its own."""
    at = office("a")
    async with at.keepers(zones={Period.DAILY: timezone(timedelta(hours=8))}):
        await at.score("a")
        await trio.sleep(MIDNIGHT_S - 8 * 3600 + 1)
        assert [(period, label) for _, period, label in at.opened] == [(Period.DAILY, "2025-06-15")]


async def test_a_store_that_is_away_delays_a_round(autojump_clock: MockClock) -> None:
    """Nothing is left out."""
    at = office("a")
    await at.score("a")
    async with at.keepers():
        await trio.sleep(MIDNIGHT_S - 1)
        at.archive.faults.fail_before(AWAY, None, AWAY)
        await trio.sleep(60)
        assert [label for _, _, label in at.opened] == ["2025-06-15", "2025-W24"]
