from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest
import trio

from actors.ports import OpenedSession, Rotated, RotationRefused, SessionId, UserId
from tests.contract.making import HERE, NOW_US, Backend, World, session, token_hash, uuid_of
from tests.contract.signed_in import FIRST, SECOND, ended, signed_in

Reuse = Callable[[World], Awaitable[Rotated | RotationRefused]]

GRACE_US = 10_000_000
LATER_US = NOW_US + 5_000_000_000
THIRD, OTHER = token_hash(3), token_hash(4)


async def rotate(
    world: World, presented: bytes, successor: bytes, *, now_us: int = NOW_US
) -> Rotated | RotationRefused:
    """Exchange a token with the usual grace."""
    return await world.accounts.rotate(presented, successor, now_us=now_us, expires_us=LATER_US, grace_us=GRACE_US)


async def test_a_refresh_token_is_exchanged_for_its_successor(world: World) -> None:
    """And that for the next one, all in the same session."""
    player, session_id = await signed_in(world)
    for presented, successor in ((FIRST, SECOND), (SECOND, THIRD)):
        rotated = await rotate(world, presented, successor)
        assert isinstance(rotated, Rotated)
        assert (session_id, player, "Ann") == (rotated.session_id, rotated.account.user_id, rotated.account.username)


async def test_opening_the_same_session_again_changes_nothing(world: World) -> None:
    """A caller who lost the answer may ask again; what was exchanged meanwhile stays exchanged."""
    player = await world.player("Ann")
    opened = session(player, FIRST)
    await world.accounts.open_session(opened)
    await rotate(world, FIRST, SECOND)
    await world.accounts.open_session(opened)
    assert isinstance(await rotate(world, SECOND, THIRD), Rotated)
    assert RotationRefused("reused", opened.session_id) == await rotate(world, FIRST, SECOND)


async def test_a_session_of_nobody_is_not_opened(world: World) -> None:
    """A player who was lost with the last commits of a store, between the registration and this."""
    assert not await world.accounts.open_session(session(UserId(uuid_of(999)), FIRST))
    assert RotationRefused("unknown") == await rotate(world, FIRST, SECOND)


async def test_an_unknown_token_belongs_to_no_session(world: World) -> None:
    """Nothing is made of it."""
    assert RotationRefused("unknown") == await rotate(world, OTHER, SECOND)
    assert RotationRefused("unknown") == await rotate(world, SECOND, THIRD)


async def test_a_lost_answer_may_be_repeated_within_the_grace(world: World) -> None:
    """The same successor comes of it, however often, and works."""
    _, session_id = await signed_in(world)
    first = await rotate(world, FIRST, SECOND)
    assert first == await rotate(world, FIRST, SECOND, now_us=NOW_US + GRACE_US)
    assert isinstance(await rotate(world, SECOND, THIRD, now_us=NOW_US + GRACE_US), Rotated)
    assert [] == await ended(world)
    assert isinstance(first, Rotated)
    assert session_id == first.session_id


async def after_the_grace(world: World) -> Rotated | RotationRefused:
    """A copy turns up late."""
    await rotate(world, FIRST, SECOND)
    return await rotate(world, FIRST, SECOND, now_us=NOW_US + GRACE_US + 1)


async def after_the_successor(world: World) -> Rotated | RotationRefused:
    """Whoever holds the successor has used it, so this is somebody else."""
    await rotate(world, FIRST, SECOND)
    await rotate(world, SECOND, THIRD)
    return await rotate(world, FIRST, SECOND)


async def for_another_successor(world: World) -> Rotated | RotationRefused:
    """Two tokens for one would be two heirs."""
    await rotate(world, FIRST, SECOND)
    return await rotate(world, FIRST, OTHER)


@pytest.mark.parametrize("reuse", [after_the_grace, after_the_successor, for_another_successor])
async def test_a_token_used_again_revokes_its_family(world: World, reuse: Reuse) -> None:
    """None of the family works any more, and the session is among those that were ended."""
    _, session_id = await signed_in(world)
    assert RotationRefused("reused", session_id) == await reuse(world)
    for token in (FIRST, SECOND):
        assert RotationRefused("revoked", session_id) == await rotate(world, token, OTHER)
    assert [session_id] == await ended(world)


async def test_many_exchanges_of_one_token_at_once_give_one_successor(world: World) -> None:
    """A browser with several tabs: all get in, and the family lives."""
    await signed_in(world)
    answers: list[object] = []

    async def one() -> None:
        answers.append(await rotate(world, FIRST, SECOND))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one)
    assert [answers[0]] * 10 == answers
    assert isinstance(await rotate(world, SECOND, THIRD), Rotated)


async def test_a_token_expires(world: World) -> None:
    """At its moment, not after; and expiring ends no session."""
    player = await world.player("Ann")
    opened = session(player, FIRST, expires_us=NOW_US + 5)
    await world.accounts.open_session(opened)
    assert RotationRefused("expired", opened.session_id) == await rotate(world, FIRST, SECOND, now_us=NOW_US + 5)
    assert isinstance(await rotate(world, FIRST, SECOND, now_us=NOW_US + 4), Rotated)
    assert [] == await ended(world)


async def test_a_banned_player_gets_no_new_tokens(world: World) -> None:
    """Neither for a fresh token nor for a repeated one."""
    player, session_id = await signed_in(world)
    await rotate(world, FIRST, SECOND)
    await world.ban(player)
    for token, successor in ((FIRST, SECOND), (SECOND, THIRD)):
        assert RotationRefused("revoked", session_id) == await rotate(world, token, successor)
    assert [session_id] == await ended(world)


async def test_an_ended_session_is_over(world: World) -> None:
    """Its tokens are refused, and it is told to those who check access tokens."""
    _, session_id = await signed_in(world)
    await world.accounts.revoke_session(session_id, now_us=NOW_US + 7)
    assert RotationRefused("revoked", session_id) == await rotate(world, FIRST, SECOND)
    assert [session_id] == await ended(world)


async def test_ending_a_session_twice_or_one_that_never_was_changes_nothing(world: World) -> None:
    """It is announced once."""
    _, session_id = await signed_in(world)
    await world.accounts.revoke_session(session_id, now_us=NOW_US)
    await world.accounts.revoke_session(session_id, now_us=NOW_US + 9)
    await world.accounts.revoke_session(SessionId(uuid_of(0)), now_us=NOW_US)
    assert [session_id] == await ended(world)


async def test_sessions_live_through_reopening(backend: Backend) -> None:
    """A restart signs nobody out, and forgets no end of a session."""
    async with backend.open() as world:
        _, session_id = await signed_in(world)
        await rotate(world, FIRST, SECOND)
    async with backend.open() as world:
        assert isinstance(await rotate(world, SECOND, THIRD), Rotated)
        assert RotationRefused("reused", session_id) == await rotate(world, FIRST, SECOND)
    async with backend.open() as world:
        assert [session_id] == await ended(world)


async def test_a_player_sees_the_sessions_that_are_open(world: World) -> None:
    """The newest first, with where they began and when their tokens were renewed; no ended, expired or foreign ones."""
    player, other = await world.player("Ann"), await world.player("Bob")
    old, new, over, gone = (replace(session(player, token_hash(n)), issued_us=NOW_US + n) for n in range(11, 15))
    over = replace(over, expires_us=NOW_US + 50)
    for each in (old, new, over, gone, session(other, OTHER)):
        await world.accounts.open_session(each)
    await world.accounts.revoke_session(gone.session_id, now_us=NOW_US)
    await rotate(world, old.refresh_hash, THIRD, now_us=NOW_US + 99)
    assert [
        OpenedSession(new.session_id, NOW_US + 12, NOW_US + 12, new.expires_us, HERE),
        OpenedSession(old.session_id, NOW_US + 11, NOW_US + 99, LATER_US, HERE),
    ] == await world.accounts.sessions(player, now_us=NOW_US + 100)


async def test_a_player_ends_own_sessions_and_no_others(world: World) -> None:
    """One of them, or all but one; what is ended already, or is another's, is not ended by this."""
    player, other = await world.player("Ann"), await world.player("Bob")
    mine = [session(player, token_hash(number)) for number in range(20, 24)]
    foreign = session(other, OTHER)
    for each in (*mine, foreign):
        await world.accounts.open_session(each)
    first, second, *rest = (each.session_id for each in mine)
    end = partial(world.accounts.end_sessions, player, now_us=NOW_US)
    assert [first] == await end(only=first)
    assert [] == await end(only=first)
    assert [] == await end(only=foreign.session_id)
    assert sorted(rest) == sorted(await end(spared=second))
    assert [] == await end(spared=second)
    assert sorted([first, *rest]) == sorted(await ended(world))
    assert isinstance(await rotate(world, mine[1].refresh_hash, THIRD), Rotated)
    assert isinstance(await rotate(world, foreign.refresh_hash, FIRST), Rotated)


async def test_another_password_ends_all_other_sessions(world: World) -> None:
    """Said again it changes nothing; who proved another password than the present one changes nothing at all."""
    player = await world.player("Ann")
    mine = [session(player, token_hash(number)) for number in (30, 31)]
    for each in mine:
        await world.accounts.open_session(each)
    proven = await world.accounts.account_of(player)
    assert proven is not None
    change = partial(world.accounts.change_password, spared=mine[0].session_id, now_us=NOW_US)
    assert await change(replace(proven, password_hash="another"), "new") is None
    assert [mine[1].session_id] == await change(proven, "new")
    assert [] == await change(proven, "new")
    assert await change(proven, "newer") is None
    assert replace(proven, password_hash="new") == await world.accounts.account_of(player)
    assert [mine[1].session_id] == await ended(world)


async def test_what_was_proven_must_hold_when_the_session_opens(world: World) -> None:
    """Between the look at a password and the sign-in it may be changed, the player banned or given another role."""
    player = await world.player("Ann")
    proven = await world.accounts.account_of(player)
    assert proven is not None
    assert await world.accounts.open_session(replace(session(player, FIRST), proven=proven))
    for old in (replace(proven, password_hash="older"), replace(proven, role="admin")):
        assert not await world.accounts.open_session(replace(session(player, SECOND), proven=old))
    await world.ban(player)
    assert not await world.accounts.open_session(replace(session(player, SECOND), proven=proven))
    assert RotationRefused("unknown") == await rotate(world, SECOND, THIRD)
