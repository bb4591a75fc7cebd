from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.ports import ArchivedPeriod, ArchivePage, Period, Span, StoreUnavailable
from scoreboard.stores.kept_archive import KEEP_S, KeptArchive
from tests.fakes import FakeScoreStore, Players
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock


class SlowArchive(FakeArchive):
    """Every page takes a second and is another; `final` says of which kind."""

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(FakeScoreStore(Players(clock), clock), clock)
        self.final, self.computed = False, 0

    async def page(
        self, period: Period, label: str, *, limit: int, offset: int = 0, country: str | None = None
    ) -> ArchivePage | None:
        self.computed += 1
        number = self.computed
        await self.faults.around(lambda: None)
        await trio.sleep(1)
        return ArchivePage(ArchivedPeriod(period, Span(0, 1, label), self.final, None), (), number)


async def total(archive: KeptArchive, *, offset: int = 0) -> int:
    """Of a page."""
    page = await archive.page(Period.DAILY, "a day", limit=10, offset=offset)
    assert page is not None
    return page.total


async def test_a_page_that_is_not_final_is_computed_once_for_all_who_ask(autojump_clock: MockClock) -> None:
    """At the same moment, or within some seconds; then anew. Another page is another."""
    slow = SlowArchive()
    archive = KeptArchive(slow)
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(total, archive)
    assert (await total(archive), slow.computed) == (1, 1)
    assert await total(archive, offset=10) == 2
    await trio.sleep(KEEP_S)
    assert await total(archive) == 3


async def test_a_final_page_is_read_whenever_somebody_asks(autojump_clock: MockClock) -> None:
    """That is cheap, and whoever asks next may ask for any."""
    slow = SlowArchive()
    slow.final = True
    archive = KeptArchive(slow)
    assert [await total(archive), await total(archive)] == [1, 2]
    assert repr(archive) == "<KeptArchive, 0 kept, 0 computing>"


async def test_who_waits_for_a_page_that_cannot_be_computed_tries_it_too(autojump_clock: MockClock) -> None:
    """Neither a store that was away nor somebody who did not wait any longer costs the others their answer."""
    slow = SlowArchive()
    archive, answers = KeptArchive(slow), []
    slow.faults.fail_before(StoreUnavailable("away"))

    async def ask(within_s: float) -> None:
        with trio.move_on_after(within_s):
            try:
                answers.append(await total(archive))
            except StoreUnavailable:
                answers.append(0)

    async with trio.open_nursery() as nursery:
        for within_s in (0.5, 0.6, 10, 10):
            nursery.start_soon(ask, within_s)
            await trio.sleep(0.1)
    assert sorted(answers)[:1] == [0]
    assert set(answers[1:]) == {slow.computed}


async def test_no_more_pages_are_kept_than_there_is_room_for(autojump_clock: MockClock) -> None:
    """Who asks for one deep page after the other costs no more memory than that."""
    archive = KeptArchive(SlowArchive(), keep_s=100, most=2)
    assert [await total(archive, offset=offset) for offset in (0, 1, 2, 1, 0)] == [1, 2, 3, 2, 4]
    assert repr(archive) == "<KeptArchive, 2 kept, 0 computing>"


@pytest.mark.parametrize("period", [Period.DAILY, Period.WEEKLY])
async def test_all_else_is_asked_of_the_archive_itself(period: Period) -> None:
    """As it is."""
    archive = KeptArchive(SlowArchive())
    assert await archive.open_from(period) is None
    assert await archive.open(period, []) == []
    assert await archive.close_next() is None
    assert await archive.periods(period, limit=1) == []
