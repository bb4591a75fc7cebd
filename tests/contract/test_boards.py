from __future__ import annotations

import pytest

from actors.ports import (
    EVERYBODY,
    LATEST_US,
    BoardScope,
    Committed,
    Members,
    Period,
    ProfileChange,
    ScoreFact,
    Span,
    UserId,
)
from scoreboard.stores import postgres_members
from tests.contract.making import World, again, write

MINUTE_US = 60_000_000
DAILY = BoardScope(Period.DAILY)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few players are several pieces."""
    monkeypatch.setattr(postgres_members, "PIECE", 2)


async def board(world: World, scope: BoardScope, span: Span | None) -> dict[UserId, tuple[int, int, int, int]]:
    """All of a board: score, total, version and moment of each; told once, with a share that rises."""
    found: dict[UserId, tuple[int, int, int, int]] = {}
    share = 0.0
    async with world.scores.all_members(scope, span) as pages:
        while (page := await pages.next()) is not None:
            assert found.keys().isdisjoint(page.user_ids)
            assert share < page.share <= 1
            share = page.share
            found |= told(page)
    if found:
        everybody = await world.scores.members_of(scope, span, list(found))
        assert found == told(everybody)
    return found


def told(page: Members) -> dict[UserId, tuple[int, int, int, int]]:
    """The columns as rows."""
    columns = zip(page.scores, page.totals, page.versions, page.reached_us, strict=True)
    return dict(zip(page.user_ids, columns, strict=True))


async def committed(world: World, user_id: UserId, points: int, occurred_us: int) -> ScoreFact:
    """Score, and what became of it."""
    [outcome] = await world.scores.commit([write(user_id, points=points, occurred_us=occurred_us)])
    assert isinstance(outcome, Committed)
    assert points == outcome.fact.points
    return outcome.fact


async def test_a_score_is_filed_by_the_time_of_its_action(world: World) -> None:
    """To the microsecond: the period begins with its first and ends before that of the next."""
    ann = await world.player("Ann")
    now_us = await world.now_us()
    start_us, end_us = now_us - 3 * MINUTE_US, now_us - MINUTE_US
    span = Span(start_us, end_us, "then")
    await committed(world, ann, 1, start_us - 1)
    first = await committed(world, ann, 2, start_us)
    last = await committed(world, ann, 4, end_us - 1)
    after = await committed(world, ann, 8, end_us)
    assert (start_us, end_us - 1, end_us) == (first.occurred_us, last.occurred_us, after.occurred_us)
    assert {ann: (6, 15, 4, last.reached_us)} == await board(world, DAILY, span)


async def test_a_late_write_counts_at_its_time_but_is_reached_when_it_is_written(world: World) -> None:
    """The order of moments is that of commits, whatever the order of the actions."""
    ann = await world.player("Ann")
    now_us = await world.now_us()
    span = Span(now_us - 3 * MINUTE_US, now_us - MINUTE_US, "then")
    await committed(world, ann, 1, now_us - 2 * MINUTE_US + 1)
    late = await committed(world, ann, 2, now_us - 2 * MINUTE_US)
    await committed(world, ann, 4, now_us)
    assert {ann: (3, 7, 3, late.reached_us)} == await board(world, DAILY, span)


async def test_no_action_is_later_than_its_commit_nor_much_earlier(world: World) -> None:
    """A clock that is wrong files nothing into the future, nor into a period that has been closed."""
    ann = await world.player("Ann")
    for occurred_us in (0, 2**53):
        fact = await committed(world, ann, 1, occurred_us)
        assert fact.reached_us - (0 if occurred_us else LATEST_US) == fact.occurred_us


async def test_a_known_operation_tells_when_it_was_done_the_first_time(world: World) -> None:
    """By its operation and by its key alike: the boards may not have heard of it."""
    ann = await world.player("Ann")
    first = write(ann, "key", points=3, occurred_us=await world.now_us() - MINUTE_US)
    [outcome] = await world.scores.commit([first])
    assert isinstance(outcome, Committed)
    for once_more in (first, again(first)._replace(occurred_us=0)):
        [known] = await world.scores.commit([once_more])
        assert outcome.fact == known.fact  # type: ignore[union-attr]


async def test_nobody_is_on_a_periods_board_without_having_gained_in_it(world: World) -> None:
    """Not by a write to a full total, nor by a change of profile. Who is banned is known to it, and hidden."""
    ann, bob, eve = [await world.player(name) for name in ("Ann", "Bob", "Eve")]
    now_us = await world.now_us()
    span = Span(now_us - MINUTE_US, now_us + MINUTE_US, "now")
    await world.set_score(ann, 2**53)
    [full] = await world.scores.commit([write(ann, occurred_us=now_us)])
    assert isinstance(full, Committed)
    assert 0 == full.fact.points
    await committed(world, eve, 1, now_us)
    await world.profiles.change_profile(bob, ProfileChange(country="DE"))
    await world.ban(eve)
    assert {eve} == (await board(world, DAILY, span)).keys()
    found = await world.scores.members_of(DAILY, span, [ann, bob, eve, UserId("nobody")])
    assert [(eve, True)] == [(fact.user_id, fact.hidden) for fact in found.facts()]
    assert {} == told(found.shown())


async def test_a_country_has_its_players_with_all_that_they_have(world: World) -> None:
    """Who moves takes the score along; all the same of all time and of a period."""
    ann, bob, eve = [await world.player(name) for name in ("Ann", "Bob", "Eve")]
    now_us = await world.now_us()
    span = Span(now_us - MINUTE_US, now_us + MINUTE_US, "now")
    for user_id, country in ((ann, "DE"), (bob, "DE"), (eve, "FR")):
        await world.profiles.change_profile(user_id, ProfileChange(country=country))
        await committed(world, user_id, 5, now_us)
    for scope, of in ((BoardScope(Period.ALL_TIME, "DE"), None), (BoardScope(Period.DAILY, "DE"), span)):
        assert {ann, bob} == (await board(world, scope, of)).keys()
    await world.profiles.change_profile(bob, ProfileChange(country="FR"))
    for period, of in ((Period.ALL_TIME, None), (Period.DAILY, span)):
        assert {ann} == (await board(world, BoardScope(period, "DE"), of)).keys()
        assert {bob, eve} == (await board(world, BoardScope(period, "FR"), of)).keys()
        assert {} == await board(world, BoardScope(period, "IT"), of)


async def test_countries_and_avatars_are_told_only_if_anybody_has_one(world: World) -> None:
    """So that it costs nothing to have none."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    assert (None, None) == await looks(world, ann, bob)
    await world.profiles.change_profile(bob, ProfileChange(avatar="https://example.org/bob.png"))
    assert (None, [None, "https://example.org/bob.png"]) == await looks(world, ann, bob)
    await world.profiles.change_profile(ann, ProfileChange(country="DE"))
    assert (["DE", None], [None, "https://example.org/bob.png"]) == await looks(world, ann, bob)


async def looks(world: World, *user_ids: UserId) -> tuple[list[str | None] | None, list[str | None] | None]:
    """Countries and avatars, in the order of the players."""
    page = await world.scores.members_of(EVERYBODY, None, user_ids)
    order = [list(page.user_ids).index(user_id) for user_id in user_ids]
    countries = None if page.countries is None else [page.countries[at] for at in order]
    return countries, None if page.avatars is None else [page.avatars[at] for at in order]


async def test_a_board_without_its_span_is_a_mistake(world: World) -> None:
    """And so is a span for all time."""
    with pytest.raises(ValueError, match="do not belong together"):
        await world.scores.members_of(DAILY, None, [])
    with pytest.raises(ValueError, match="do not belong together"):
        await world.scores.members_of(EVERYBODY, Span(0, 1, ""), [])


async def test_what_is_committed_while_a_periods_board_is_read_is_not_told(world: World) -> None:
    """All are told as at the beginning."""
    ids = [await world.player(f"player {number}") for number in range(5)]
    now_us = await world.now_us()
    span = Span(now_us - MINUTE_US, now_us + MINUTE_US, "now")
    await world.scores.commit([write(user_id, occurred_us=now_us) for user_id in ids[:4]])
    found: list[int] = []
    async with world.scores.all_members(DAILY, span) as pages:
        while (page := await pages.next()) is not None:
            found += page.scores
            await world.scores.commit([write(user_id, occurred_us=now_us) for user_id in ids])
    assert [1, 1, 1, 1] == found
