from __future__ import annotations

from typing import Any

import pytest
from quart import Response

from actors.ports import StoreUnavailable
from scoreboard.api.v1.users import is_web_address
from scoreboard.security.keys import KeyRing
from scoreboard.wire.times import iso
from tests.api.v1 import Signed, code_of, scored, sign_up
from tests.api.world import World, running_world

AVATAR = "https://cdn.example.com/avatars/ada.jpg?s=40#x"


async def patch(world: World, me: Signed, body: Any) -> Response:
    """Change oneself."""
    headers = {"Authorization": f"Bearer {me.access}"}
    return await world.app.test_client().patch("/api/v1/users/me", json=body, headers=headers)


def shown(world: World, me: Signed, **changes: Any) -> dict[str, Any]:
    """What everybody sees of somebody who has done nothing yet."""
    row = world.players.rows[me.user_id]  # type: ignore[index]
    return {
        "id": me.user_id,
        "username": me.username,
        "score": 0,
        "rank": 1,
        "percentile": 100.0,
        "country": None,
        "avatar": None,
        "createdAt": iso(row.created_us),
        "lastActive": iso(row.last_active_us),
        "isActive": True,
        **changes,
    }


async def test_a_player_is_shown_without_what_is_private(world: World) -> None:
    """Document B's model of a user, with the rank of now, for who has not even signed in."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    await scored(world, other)
    response = await world.get(f"/api/v1/users/{me.user_id}")
    assert {"success": True, "data": shown(world, me, rank=2, percentile=50.0)} == await response.get_json()
    assert 200 == (await world.get(f"/api/v1/users/{me.user_id.upper()}")).status_code


async def test_one_sees_more_of_oneself(world: World) -> None:
    """E-mail address, role and permissions."""
    me = await sign_up(world)
    own = {"email": "Ada@example.org", "role": "user", "permissions": ["score.update", "leaderboard.view"]}
    response = await world.get("/api/v1/users/me", token=me.access)
    assert {"success": True, "data": {**shown(world, me), **own}} == await response.get_json()
    assert (401, "UNAUTHORIZED", None) == await code_of(await world.get("/api/v1/users/me"))


async def test_country_and_avatar_are_one_s_own_to_change(world: World) -> None:
    """Either or both; null takes away what was there, and what is not named stays."""
    me = await sign_up(world)
    steps: list[tuple[dict[str, Any], str | None, str | None]] = [
        ({"country": "US", "avatar": AVATAR}, "US", AVATAR),
        ({"country": "DE"}, "DE", AVATAR),
        ({}, "DE", AVATAR),
        ({"avatar": None}, "DE", None),
        ({"country": "UK"}, "GB", None),
        ({"country": None}, None, None),
    ]
    for body, country, avatar in steps:
        response = await patch(world, me, body)
        told = await response.get_json()
        assert (200, "Profile updated successfully") == (response.status_code, told["message"])
        assert (country, avatar) == (told["data"]["country"], told["data"]["avatar"])
        public = (await (await world.get(f"/api/v1/users/{me.user_id}")).get_json())["data"]
        assert shown(world, me, country=country, avatar=avatar) == public


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"country": "ZZ"}, "country"),
        ({"country": "us"}, "country"),
        ({"country": "USA"}, "country"),
        ({"country": ""}, "country"),
        ({"country": 7}, "country"),
        ({"avatar": "http://cdn.example.com/a.png"}, "avatar"),
        ({"avatar": "javascript:alert(1)"}, "avatar"),
        ({"avatar": "https://"}, "avatar"),
        ({"avatar": "https://user:password@example.com/"}, "avatar"),
        ({"avatar": "https://example.com/\n"}, "avatar"),
        ({"avatar": 'https://example.com/"onerror='}, "avatar"),
        ({"avatar": "https://example.com:99999/"}, "avatar"),
        ({"avatar": "https://[::1/"}, "avatar"),
        ({"avatar": "https://[d3BA:]/"}, "avatar"),
        ({"avatar": "https://example.com:0/"}, "avatar"),
        ({"avatar": "HTTPS://example.com/"}, "avatar"),
        ({"avatar": "https://example.com/" + "x" * 2048}, "avatar"),
        ({"avatar": "https://exämple.com/"}, "avatar"),
        ({"score": 7}, "score"),
    ],
)
async def test_what_no_profile_can_hold_is_refused(world: World, body: dict[str, Any], field: str) -> None:
    """With the field; nothing has changed, not even what was right beside it."""
    me = await sign_up(world)
    before = world.state()
    refused = await patch(world, me, {"country": "US", "avatar": AVATAR, **body})
    assert (400, "INVALID_INPUT", {"field": field}) == await code_of(refused)
    assert before == world.state()


def test_an_address_in_the_net_is_one_that_a_page_may_load() -> None:
    """With ports and queries; the longest ones are somebody else's business."""
    assert is_web_address("https://cdn-1.example.com:65535/a%20b?c=d&e#f")
    assert is_web_address(AVATAR)


async def test_nobody_is_a_404(world: World) -> None:
    """An id that nobody has, or that is none; and who is banned, whom no board shows."""
    me = await sign_up(world)
    for name in ("99999999-2222-4333-8444-555555555555", "nobody", "..", "%00"):
        expected = (404, "USER_NOT_FOUND", None)
        assert expected == await code_of(await world.get(f"/api/v1/users/{name}")), name
    world.players.rows[me.user_id].banned = True  # type: ignore[index]
    assert (404, "USER_NOT_FOUND", None) == await code_of(await world.get(f"/api/v1/users/{me.user_id}"))
    assert (403, "FORBIDDEN", {"reason": "USER_BANNED"}) == await code_of(await patch(world, me, {"country": "US"}))


async def test_an_account_that_has_gone_is_a_404_for_itself(world: World) -> None:
    """Its token outlives it."""
    me = await sign_up(world)
    del world.players.rows[me.user_id]  # type: ignore[arg-type]
    assert (404, "USER_NOT_FOUND", None) == await code_of(await world.get("/api/v1/users/me", token=me.access))
    assert (404, "USER_NOT_FOUND", None) == await code_of(await patch(world, me, {"country": "US"}))


async def test_players_who_are_not_public_are_shown_to_who_has_signed_in(ring: KeyRing) -> None:
    """The setting closes what is open otherwise; a token that is no good opens nothing."""
    async with running_world(ring=ring, public_boards=False) as world:
        me = await sign_up(world)
        path = f"/api/v1/users/{me.user_id}"
        assert (401, "UNAUTHORIZED", None) == await code_of(await world.get(path))
        assert 200 == (await world.get(path, token=me.access)).status_code
    async with running_world(ring=ring) as world:
        assert (401, "UNAUTHORIZED", None) == await code_of(await world.get(path, token="x"))


async def test_a_profile_that_cannot_be_read_is_a_database_error(world: World) -> None:
    """And the next request works."""
    me = await sign_up(world)
    world.profiles.faults.fail_before(StoreUnavailable())
    assert (500, "DATABASE_ERROR", None) == await code_of(await world.get("/api/v1/users/me", token=me.access))
    assert 200 == (await world.get("/api/v1/users/me", token=me.access)).status_code
