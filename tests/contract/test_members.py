from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors.ports import MemberPages, ScoreFact
from scoreboard.stores import postgres_members
from tests.contract.making import World, write


@pytest.fixture(autouse=True)
def nothing_is_complained_of(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A connection that is given back within a transaction is mended by the driver, which says so."""
    yield
    assert [] == [record.message for record in caplog.get_records("call")]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few players are several pages: some twenty in each."""
    monkeypatch.setattr(postgres_members, "PAGES", 1)


async def read(pages: MemberPages, most: int = 1000) -> list[ScoreFact]:
    """The players of so many pages; the share that is told with each rises, to 1 with the last."""
    facts: list[ScoreFact] = []
    share = 0.0
    while most > 0 and (page := await pages.next()) is not None:
        most -= 1
        assert 0 < page.share <= 1
        assert share < page.share
        share = page.share
        facts += page.facts()
        assert all(isinstance(fact.user_id, str) for fact in facts)
    return facts


async def truth(world: World) -> list[ScoreFact]:
    """All players as they stand now, by id."""
    return await world.scores.members_after(None, 1000)


def by_id(facts: list[ScoreFact]) -> list[ScoreFact]:
    """In the order of `truth`."""
    return sorted(facts, key=lambda fact: fact.user_id)


async def test_all_members_are_told_once_with_their_totals_and_who_of_them_is_hidden(world: World) -> None:
    """Whatever pages they come in."""
    ids = [await world.player(f"player {number}") for number in range(100)]
    await world.scores.commit([write(user_id, points=number + 1) for number, user_id in enumerate(ids[:40])])
    await world.ban(ids[3])
    await world.stand(ids[4], quarantined=True)
    async with world.scores.all_members() as pages:
        found = await read(pages)
        assert await pages.next() is None
    assert await truth(world) == by_id(found)
    assert 100 == len(found)
    assert set(ids[3:5]) == {fact.user_id for fact in found if fact.hidden}


async def test_an_empty_store_has_no_members(world: World) -> None:
    """Not even an empty page."""
    async with world.scores.all_members() as pages:
        assert await pages.next() is None


async def test_what_is_committed_while_members_are_read_changes_nothing_of_what_is_told(world: World) -> None:
    """Everybody is told as at the one moment, though rows move and players come while pages are read."""
    ids = [await world.player(f"player {number}") for number in range(100)]
    before = await truth(world)
    async with world.scores.all_members() as pages:
        found = await read(pages, 1)
        for _ in range(6):  # so often that there is no room left where the rows are
            await world.scores.commit([write(user_id) for user_id in reversed(ids)])
        await world.player("somebody new")
        found += await read(pages)
    assert before == by_id(found)
    async with world.scores.all_members() as pages:
        assert await truth(world) == by_id(await read(pages))


async def test_whoever_stops_reading_half_way_leaves_nothing_behind(world: World) -> None:
    """The next who use the store see what is committed, though more have read than there are connections."""
    ids = [await world.player(f"player {number}") for number in range(60)]
    for turn in range(1, 9):
        async with world.scores.all_members() as pages:
            await read(pages, turn % 2)
        await world.scores.commit([write(ids[0])])
        assert turn == max(fact.score for fact in await truth(world))
