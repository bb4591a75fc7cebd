"""What those in charge do to roles and sessions."""

from __future__ import annotations

from dataclasses import replace

from actors.ports import (
    OutOfReach,
    PlayerStanding,
    RoleChanged,
    SignedOut,
    StandingChange,
    Stood,
    UnknownUser,
    UserId,
)
from tests.contract.making import HERE, NOW_US, World, act, session, token_hash, uuid_of
from tests.contract.signed_in import SECOND, ended, signed_in

OTHER = token_hash(4)


async def test_another_role_ends_all_sessions(world: World) -> None:
    """The same role again ends none; nobody gets one who is not there."""
    player, _ = await signed_in(world)
    assert RoleChanged("user", "user") == await world.accounts.change_role(player, "user", act())
    assert [] == await ended(world)
    assert RoleChanged("user", "moderator") == await world.accounts.change_role(player, "moderator", act())
    assert 1 == len(await ended(world))
    account = await world.accounts.account_of(player)
    assert account is not None
    assert "moderator" == account.role
    assert UnknownUser() == await world.accounts.change_role(UserId(uuid_of(0)), "admin", act())
    assert await world.accounts.account_of(UserId("nobody")) is None


async def test_signing_somebody_out_ends_all_sessions_of_that_player_alone(world: World) -> None:
    """Once more, as another act, it ends none."""
    player, other = await world.player("Ann"), await world.player("Bob")
    mine = [session(player, token_hash(number)) for number in (40, 41)]
    for each in (*mine, session(other, OTHER)):
        await world.accounts.open_session(each)
    first = await world.accounts.sign_out(player, act())
    assert isinstance(first, SignedOut)
    assert (2, sorted(each.session_id for each in mine)) == (first.ended, sorted(first.sessions))
    assert sorted(first.sessions) == sorted(await ended(world))
    assert SignedOut(0, ()) == await world.accounts.sign_out(player, act())
    assert 1 == len(await world.accounts.sessions(other, now_us=NOW_US))
    assert UnknownUser() == await world.accounts.sign_out(UserId(uuid_of(0)), act())


async def test_an_act_on_an_account_and_its_record_are_one(world: World) -> None:
    """Who, where, from where, why; what was before and is now. An act of nothing is recorded, too."""
    player, _ = await signed_in(world)
    asked = [replace(act(why=f"reason {number}"), at_us=NOW_US + number, site="POST /x") for number in range(3)]
    await world.accounts.change_role(player, "premium", asked[0])
    await world.accounts.change_role(player, "premium", asked[1])
    await world.accounts.sign_out(player, asked[2])
    changed, again, ended_all = reversed(await world.audit.events(user_id=player))
    for event, done in zip((changed, again, ended_all), asked, strict=True):
        assert (done.event_id, done.kind, player, done.at_us) == (
            *(event.event_id, event.kind),
            *(event.user_id, event.until_us),
        )
        assert ("operator", "POST /x", HERE, done.why, "request-1") == (
            *(event.done_by, event.site),
            *(event.source, event.why, event.request_id),
        )
    assert ["ROLE_CHANGED", "ROLE_CHANGED", "SESSIONS_ENDED"] == [changed.what, again.what, ended_all.what]
    assert {"before": "user", "after": "premium"} == dict(changed.details)
    assert {"before": "premium", "after": "premium"} == dict(again.details)
    assert {"ended": 0} == dict(ended_all.details)


async def test_an_act_on_an_account_counts_once_and_is_answered_the_same(world: World) -> None:
    """Also when others came between, and when the player is beyond reach by now."""
    player, _ = await signed_in(world)
    role, out = act(), act()
    assert RoleChanged("user", "admin") == await world.accounts.change_role(player, "admin", role, beyond=["admin"])
    await world.accounts.change_role(player, "moderator", act())
    await world.accounts.open_session(session(player, OTHER))
    assert RoleChanged("user", "admin") == await world.accounts.change_role(player, "admin", role, beyond=["moderator"])
    done = await world.accounts.sign_out(player, out)
    await world.accounts.open_session(session(player, SECOND))
    assert SignedOut(1, ()) == await world.accounts.sign_out(player, out, beyond=["moderator"])
    flag, asked = act(), (player, StandingChange(flagged=True))
    stood = await world.standing.change_standing(*asked, flag, beyond=["admin"])
    assert isinstance(stood, Stood)
    assert stood == await world.standing.change_standing(*asked, flag, beyond=["moderator"])
    assert isinstance(done, SignedOut)
    assert 1 == done.ended
    assert 1 == len(await world.accounts.sessions(player, now_us=NOW_US))
    account = await world.accounts.account_of(player)
    assert account is not None
    assert "moderator" == account.role
    assert 4 == len(await world.audit.events(user_id=player))


async def test_who_is_beyond_reach_is_left_alone(world: World) -> None:
    """Nothing is changed, nothing recorded."""
    player, _ = await signed_in(world)
    refused = OutOfReach("user")
    assert refused == await world.accounts.change_role(player, "admin", act(), beyond=["admin", "user"])
    assert refused == await world.accounts.sign_out(player, act(), beyond=["admin", "user"])
    ban = StandingChange(banned=True)
    assert refused == await world.standing.change_standing(player, ban, act(), beyond=["admin", "user"])
    assert {player: PlayerStanding()} == await world.standing.standings([player])
    assert [] == await ended(world)
    assert [] == await world.audit.events(user_id=player)
