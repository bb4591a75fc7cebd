from __future__ import annotations

import trio

from actors.ports import (
    ArchivedPeriod,
    ArchivedRow,
    ArchivePage,
    Committed,
    Period,
    ProfileChange,
    Span,
    UserId,
)
from tests.contract.making import World, write

MINUTE_US = 60_000_000
DUE_US = 12 * MINUTE_US


async def scored(world: World, user_id: UserId, points: int, occurred_us: int) -> int:
    """Score, and the moment in which that was reached."""
    [outcome] = await world.scores.commit([write(user_id, points=points, occurred_us=occurred_us)])
    assert isinstance(outcome, Committed)
    return outcome.fact.reached_us


async def day(world: World, name: str = "a day") -> Span:
    """A span that ends now and in which nothing is older than a minute."""
    now_us = await world.now_us()
    return Span(now_us - MINUTE_US, now_us, name)


async def page(world: World, label: str, **wanted: str | int | None) -> ArchivePage:
    """One that is there."""
    found = await world.archive.page(Period.DAILY, label, **{"limit": 100, **wanted})  # type: ignore[arg-type]
    assert found is not None
    return found


async def aged(world: World, span: Span, us: int = DUE_US) -> Span:
    """Let time pass; where the span lies then, if what was done goes back instead."""
    moved = await world.pass_time(us)
    return Span(span.start_us - moved, span.end_us - moved, span.label)


async def test_a_period_is_opened_by_exactly_one_of_all_who_try(world: World) -> None:
    """The others are told that they did not, at the same moment or later."""
    ann = await world.player("Ann")
    span = await day(world)
    await scored(world, ann, 1, span.start_us)
    opened: list[Span] = []

    async def worker() -> None:
        opened.extend(await world.archive.open(Period.DAILY, [span]))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(worker)
    assert [span] == opened
    assert [] == await world.archive.open(Period.DAILY, [span, span._replace(end_us=span.end_us + 1)])
    assert [] == await world.archive.open(Period.DAILY, [Span(span.start_us - 5, span.end_us, span.label)])
    assert [span] == await world.archive.open(Period.WEEKLY, [span])


async def test_a_period_without_gains_is_passed_by(world: World) -> None:
    """What was gained just before it or at its end is not of it, and what adds nothing is no gain."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    now_us = await world.now_us()
    early, late = now_us - 3 * MINUTE_US, now_us - MINUTE_US
    await scored(world, ann, 1, early - 1)
    await scored(world, ann, 1, late)
    await world.set_score(bob, 2**53)
    await scored(world, bob, 1, early)
    assert [] == await world.archive.open(Period.DAILY, [Span(early, late, "empty")])
    assert await world.archive.page(Period.DAILY, "empty", limit=10) is None
    both = [Span(early - 1, early, "before"), Span(early, late, "empty"), Span(late, now_us, "after")]
    assert [both[0], both[2]] == await world.archive.open(Period.DAILY, both)


async def test_nothing_is_missing_from_where_the_last_one_ended(world: World) -> None:
    """Of each kind by itself; nobody scored: nothing is missing; nobody opened any: from before the first score."""
    assert await world.archive.open_from(Period.DAILY) is None
    ann = await world.player("Ann")
    span = await day(world)
    await scored(world, ann, 1, span.start_us)
    begin_us = await world.archive.open_from(Period.DAILY)
    assert begin_us is not None
    assert begin_us <= span.start_us
    await world.archive.open(Period.DAILY, [span])
    assert span.end_us == await world.archive.open_from(Period.DAILY)
    assert begin_us == await world.archive.open_from(Period.WEEKLY)


async def test_until_it_is_closed_a_period_takes_late_writes(world: World) -> None:
    """It is shown as it stands, and says that it is not final."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    span = await day(world)
    first = await scored(world, ann, 2, span.start_us)
    await world.archive.open(Period.DAILY, [span])
    of = ArchivedPeriod(Period.DAILY, span, final=False, players=None)
    anns = ArchivedRow(1, ann, "Ann", 2, first, None, None)
    assert ArchivePage(of, (anns,), 1) == await page(world, span.label)
    assert await world.archive.close_next() is None
    late = await scored(world, bob, 3, span.end_us - 1)
    bobs = ArchivedRow(1, bob, "Bob", 3, late, None, None)
    assert ArchivePage(of, (bobs, anns._replace(rank=2)), 2) == await page(world, span.label)
    assert [of] == await world.archive.periods(Period.DAILY, limit=10)
    assert ArchivePage(of, (), 2) == await page(world, span.label, offset=5)


async def test_a_closed_period_never_changes(world: World) -> None:
    """Whatever becomes of its players; nor is it closed twice."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    span = await day(world)
    await scored(world, ann, 2, span.start_us)
    await scored(world, bob, 2, span.start_us)
    span = await aged(world, span)
    await world.archive.open(Period.DAILY, [span])
    before = await page(world, span.label)
    closed = await world.archive.close_next()
    assert ArchivedPeriod(Period.DAILY, span, final=True, players=2) == closed
    assert await world.archive.close_next() is None
    assert closed == (await page(world, span.label)).of
    assert [(1, ann), (2, bob)] == [(row.rank, row.user_id) for row in before.rows]
    await world.profiles.change_profile(ann, ProfileChange("DE", "a.png"))
    await scored(world, bob, 9, span.start_us)
    await world.ban(bob)
    assert (closed, before.rows, 2) == await page(world, span.label)
    assert [closed] == await world.archive.periods(Period.DAILY, limit=10)


async def test_periods_are_closed_one_after_the_other_by_one_worker_each(world: World) -> None:
    """Two at once close two, and a third finds none."""
    ann = await world.player("Ann")
    span = await day(world)
    await scored(world, ann, 2, span.start_us)
    span = await aged(world, span)
    for period in (Period.DAILY, Period.WEEKLY, Period.MONTHLY):
        await world.archive.open(period, [span])
    closed: list[Period] = []

    async def worker() -> None:
        while (found := await world.archive.close_next()) is not None:
            closed.append(found.period)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker)
        nursery.start_soon(worker)
    assert {Period.DAILY, Period.WEEKLY, Period.MONTHLY} == set(closed)
    assert 3 == len(closed)


async def test_equal_scores_are_in_the_order_in_which_they_were_reached(world: World) -> None:
    """By the commit, not by the action; and then the banned are left out."""
    ann, bob, eve, joe = [await world.player(name) for name in ("Ann", "Bob", "Eve", "Joe")]
    span = await day(world)
    for user_id, points, later in ((ann, 3, 30), (bob, 1, 20), (eve, 3, 10), (bob, 2, 0), (joe, 9, 0)):
        await scored(world, user_id, points, span.start_us + later)
    await world.ban(joe)
    span = await aged(world, span)
    await world.archive.open(Period.DAILY, [span])
    yet = await page(world, span.label)
    await world.archive.close_next()
    for found in (yet, await page(world, span.label)):
        assert [(1, ann, 3), (2, eve, 3), (3, bob, 3)] == [(row.rank, row.user_id, row.score) for row in found.rows]


async def test_a_country_has_ranks_of_its_own(world: World) -> None:
    """Page by page; with a total of its own."""
    ids = [await world.player(f"player {number}") for number in range(6)]
    span = await day(world)
    for number, user_id in enumerate(ids):
        if number:
            await world.profiles.change_profile(user_id, ProfileChange(country="DE" if number % 2 else "FR"))
        await scored(world, user_id, 10 - number, span.start_us)
    span = await aged(world, span)
    await world.archive.open(Period.DAILY, [span])
    for _ in range(2):  # while closing, and then closed
        german = await page(world, span.label, country="DE")
        assert [(1, ids[1], "DE"), (2, ids[3], "DE"), (3, ids[5], "DE")] == [
            (row.rank, row.user_id, row.country) for row in german.rows
        ]
        middle = await page(world, span.label, country="DE", offset=1, limit=1)
        assert (german.rows[1:2], 3) == (middle.rows, middle.total)
        assert ((), 0) == (await page(world, span.label, country="IT"))[1:]
        rest = await page(world, span.label, offset=4)
        assert ([(5, ids[4]), (6, ids[5])], 6) == ([(row.rank, row.user_id) for row in rest.rows], rest.total)
        await world.archive.close_next()


async def test_periods_are_listed_from_the_newest(world: World) -> None:
    """Page by page, each kind by itself."""
    ann = await world.player("Ann")
    now_us = await world.now_us()
    spans = [Span(now_us - (4 - n) * MINUTE_US, now_us - (3 - n) * MINUTE_US, f"day {n}") for n in range(3)]
    for span in spans:
        await scored(world, ann, 1, span.start_us)
    assert spans == await world.archive.open(Period.DAILY, spans)
    listed = [found.span for found in await world.archive.periods(Period.DAILY, limit=2)]
    assert spans[:0:-1] == listed
    assert spans[:1] == [found.span for found in await world.archive.periods(Period.DAILY, limit=2, offset=2)]
    assert [] == await world.archive.periods(Period.MONTHLY, limit=2)
    assert await world.archive.page(Period.MONTHLY, "day 0", limit=2) is None
