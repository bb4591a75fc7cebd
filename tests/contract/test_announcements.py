from __future__ import annotations

from actors.ports import SESSION_ENDED, SessionId
from tests.contract.making import NOW_US, World, session, token_hash


async def opened(world: World, *numbers: int) -> list[SessionId]:
    """So many sessions of one player, and their ids."""
    player = await world.player("Ann")
    sessions = [session(player, token_hash(number)) for number in numbers]
    for each in sessions:
        await world.accounts.open_session(each)
    return [each.session_id for each in sessions]


async def test_reading_goes_on_where_it_ended(world: World) -> None:
    """Each announcement has its own id; none is passed over, and the last reading finds nothing new."""
    first, second = await opened(world, 1, 2)
    position = (await world.announcements.since(3600)).position
    found: dict[int, tuple[str, str]] = {}
    for each in (first, second):
        await world.accounts.revoke_session(each, now_us=NOW_US)
        news = await world.announcements.after(position)
        position = news.position
        found |= {one.id: (one.kind, one.about) for one in news.announcements}
    assert [(SESSION_ENDED, first), (SESSION_ENDED, second)] == [found[key] for key in sorted(found)]
    assert {one.id for one in (await world.announcements.after(position)).announcements} <= found.keys()


async def test_a_ban_ends_all_sessions_of_the_player_and_of_nobody_else(world: World) -> None:
    """Each is announced once, also when the ban is said twice."""
    player, other = await world.player("Ann"), await world.player("Bob")
    mine = [session(player, token_hash(number)) for number in (1, 2)]
    for each in (*mine, session(other, token_hash(3))):
        await world.accounts.open_session(each)
    await world.ban(player)
    await world.ban(player)
    told = [each.about for each in (await world.announcements.since(3600)).announcements]
    assert sorted(each.session_id for each in mine) == sorted(told)


async def test_a_bell_that_was_rung_sounds_otherwise(world: World) -> None:
    """To everybody, however late they listen; and the same as long as nobody rings."""
    before = await world.bell.heard()
    await world.bell.ring()
    after = await world.bell.heard()
    assert before != after
    assert after == await world.bell.heard()
