"""A refresh token in two hands: within its grace it gives nothing new, and after it nobody anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import Me, World

GRACE_S = 10
AGAIN, LATE = GRACE_S - 1, GRACE_S + 1


async def refresh(world: World, token: str) -> tuple[int, dict[str, Any]]:
    """Exchange a refresh token."""
    answer = await world.post("/api/auth/refresh", {"refreshToken": token})
    told: dict[str, Any] = await answer.get_json()
    return answer.status_code, told


async def believed(world: World, token: str) -> bool:
    """Whether an access token opens anything."""
    return (await world.get("/api/v1/users/me", token=token)).status_code == 200


async def test_a_copy_used_within_the_grace_gets_the_same_successor(world: World) -> None:
    """So that a lost answer costs no session; there is one successor still, and nothing was written for the copy."""
    me = await world.signed_up("ada")
    _, first = await refresh(world, me.refresh)
    before = world.state()
    world.clock.move(AGAIN)
    status, copied = await refresh(world, me.refresh)
    assert (200, first["refreshToken"]) == (status, copied["refreshToken"])
    assert before == world.state()


async def late(world: World, me: Me) -> str:
    """The thief comes after the grace."""
    _, first = await refresh(world, me.refresh)
    world.clock.move(LATE)
    return str(first["refreshToken"])


async def behind(world: World, me: Me) -> str:
    """The thief comes within the grace, but the owner has gone on with the successor."""
    _, first = await refresh(world, me.refresh)
    _, second = await refresh(world, first["refreshToken"])
    return str(second["refreshToken"])


@pytest.mark.parametrize("replay", [late, behind])
async def test_a_copy_used_later_ends_the_session_for_both(replay: Any, world: World) -> None:
    """Nobody can tell the thief from the owner; all that came of the sign-in is worth nothing, and nothing else is."""
    me, other = await world.signed_up("ada"), await world.signed_up("bob")
    again = await world.post("/api/auth/login", {"username": "ada", "password": "a long enough secret"})
    second_session = (await again.get_json())["accessToken"]
    newest = await replay(world, me)
    scores = [row.score for row in world.players.rows.values()]
    tokens = set(world.accounts._tokens)
    assert (401, "REFRESH_TOKEN_INVALID") == _refused(await refresh(world, me.refresh))
    assert (401, "REFRESH_TOKEN_INVALID") == _refused(await refresh(world, newest))
    assert [False, True, True] == [await believed(world, each) for each in (me.access, second_session, other.access)]
    assert (scores, tokens) == ([row.score for row in world.players.rows.values()], set(world.accounts._tokens))


async def test_a_session_that_was_ended_by_replay_stays_ended(world: World) -> None:
    """However often either of them tries."""
    me = await world.signed_up("ada")
    newest = await late(world, me)
    await refresh(world, me.refresh)
    before = world.state()
    for token in (me.refresh, newest, me.refresh, newest):
        assert (401, "REFRESH_TOKEN_INVALID") == _refused(await refresh(world, token))
    assert before == world.state()


@pytest.mark.parametrize("made_up", ["", "x", "A" * 43, "A" * 42 + "=", "' OR 1=1 --", "\u0000", "é" * 43])
async def test_a_refresh_token_that_was_made_up_opens_nothing(made_up: str, world: World) -> None:
    """And writes nothing."""
    await world.signed_up("ada")
    before = world.state()
    status, _ = await refresh(world, made_up)
    assert status in {400, 401}
    assert before == world.state()


async def test_an_access_token_is_no_refresh_token(world: World) -> None:
    """One kind does not pass for another."""
    me = await world.signed_up("ada")
    before = world.state()
    assert (401, "REFRESH_TOKEN_INVALID") == _refused(await refresh(world, me.access))
    assert before == world.state()


def _refused(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], str(answer[1].get("code"))
