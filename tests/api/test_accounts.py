from __future__ import annotations

from dataclasses import replace

import pytest

from scoreboard.security.turns import Asker
from tests.api.world import LIFETIME_S, PASSWORD, World

ADA = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}


async def login(world: World, username: str = "Ada", password: str = PASSWORD) -> tuple[int, dict[str, object]]:
    """Sign in; status and body."""
    response = await world.post("/api/auth/login", {"username": username, "password": password})
    return response.status_code, await response.get_json()


async def refresh(world: World, token: str) -> tuple[int, dict[str, object]]:
    """Exchange a refresh token; status and body."""
    response = await world.post("/api/auth/refresh", {"refreshToken": token})
    return response.status_code, await response.get_json()


async def test_registering_answers_as_document_a_shows_it(world: World) -> None:
    """201 with the id, the name and both tokens, and no cache may keep them."""
    response = await world.post("/api/auth/register", ADA)
    told = await response.get_json()
    assert 201 == response.status_code
    assert {"userId", "username", "accessToken", "refreshToken", "expiresIn"} == set(told)
    assert ("Ada", LIFETIME_S) == (told["username"], told["expiresIn"])
    assert ["Ada"] == [row.username for row in world.players.rows.values()]
    assert "no-store" == response.headers["Cache-Control"]
    assert told["userId"] == world.given.tokens.verify(told["accessToken"]).user_id


async def test_who_registers_stands_on_the_board_with_no_points(world: World) -> None:
    """The row is there when the registration is answered."""
    me = await world.signed_up("Ada")
    told = await (await world.get(f"/api/scores/user/{me.user_id}")).get_json()
    assert ("Ada", 0, 1) == (told["username"], told["score"], told["rank"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "other@example.org", "username": "ADA"}, "USERNAME_TAKEN"),
        ({"email": "other@example.org", "username": "Ａｄａ"}, "USERNAME_TAKEN"),  # noqa: RUF001 - that is the point
        ({"username": "Bob"}, "EMAIL_TAKEN"),
        ({"username": "Bob", "email": "ADA@Example.org"}, "EMAIL_TAKEN"),
    ],
)
async def test_a_taken_name_or_address_is_a_conflict(world: World, change: dict[str, str], code: str) -> None:
    """Names are compared without case and width; the account that was first is not touched."""
    await world.signed_up("Ada")
    before = world.state()
    response = await world.post("/api/auth/register", ADA | {"email": "Ada@example.org"} | change)
    assert (409, code) == (response.status_code, (await response.get_json())["code"])
    assert before == world.state()


async def test_signing_in_opens_a_session_of_its_own(world: World) -> None:
    """Three fields, tokens of the same player, and another session than the registration's."""
    me = await world.signed_up("Ada")
    status, told = await login(world, "aDA")
    assert (200, {"accessToken", "refreshToken", "expiresIn"}) == (status, set(told))
    callers = [world.given.tokens.verify(str(token)) for token in (me.access, told["accessToken"])]
    assert callers[0].user_id == callers[1].user_id
    assert callers[0].session_id != callers[1].session_id


async def test_an_unknown_name_is_refused_word_for_word_like_a_wrong_password(world: World) -> None:
    """Nobody learns from the answer who has an account."""
    await world.signed_up("Ada")
    wrong, unknown = await login(world, "Ada", "not the password"), await login(world, "Eve", "not the password")
    assert wrong == unknown
    assert (401, "INVALID_CREDENTIALS") == (wrong[0], wrong[1]["code"])


async def test_an_unknown_name_costs_a_comparison_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the answer tells nothing either: bcrypt compares with the hash of nobody."""
    compared: list[str | None] = []
    original = type(world.given.passwords).verify

    async def verify(self: object, password: str, hashed: str | None, *, by: Asker) -> bool:
        compared.append(hashed)
        return await original(world.given.passwords, password, hashed, by=by)

    monkeypatch.setattr(type(world.given.passwords), "verify", verify)
    await login(world, "Eve", "not the password")
    assert [None] == compared


async def test_a_password_that_nobody_can_have_is_just_wrong(world: World) -> None:
    """Above 72 bytes bcrypt would raise."""
    await world.signed_up("Ada")
    status, told = await login(world, "Ada", "é" * 40)
    assert (401, "INVALID_CREDENTIALS") == (status, told["code"])


async def test_who_is_banned_hears_so_only_with_the_right_password(world: World) -> None:
    """403 for the owner, and for others nothing that tells them who is banned."""
    me = await world.signed_up("Ada")
    row = next(iter(world.players.rows.values()))
    row.banned = True
    assert me.user_id == row.user_id
    status, told = await login(world)
    assert (403, "USER_BANNED") == (status, told["code"])
    assert 401 == (await login(world, password="not the password"))[0]
    status, told = await refresh(world, me.refresh)
    assert (403, "USER_BANNED") == (status, told["code"])


async def test_a_refresh_token_is_exchanged_for_the_next_pair(world: World) -> None:
    """The session stays the same, and the new tokens work."""
    me = await world.signed_up("Ada")
    status, told = await refresh(world, me.refresh)
    assert (200, {"accessToken", "refreshToken", "expiresIn"}) == (status, set(told))
    assert me.refresh != told["refreshToken"]
    again = replace(me, access=str(told["accessToken"]))
    await world.point(again)
    assert 200 == (await refresh(world, str(told["refreshToken"])))[0]


async def test_a_lost_answer_may_be_asked_for_again_within_the_grace(world: World) -> None:
    """The same token gets the same successor."""
    me = await world.signed_up("Ada")
    first, second = await refresh(world, me.refresh), await refresh(world, me.refresh)
    assert (200, 200) == (first[0], second[0])
    assert first[1]["refreshToken"] == second[1]["refreshToken"]


async def test_a_used_refresh_token_ends_its_session_with_all_its_access_tokens(world: World) -> None:
    """Somebody else may hold a token of the family, so nobody does any more."""
    me = await world.signed_up("Ada")
    _, told = await refresh(world, me.refresh)
    world.clock.move(world.given.refresh_grace_s + 1)
    status, refused = await refresh(world, me.refresh)
    assert (401, "REFRESH_TOKEN_INVALID") == (status, refused["code"])
    assert 401 == (await refresh(world, str(told["refreshToken"])))[0]
    response = await world.post("/api/actions/token", token=str(told["accessToken"]))
    assert (401, "ACCESS_TOKEN_REVOKED") == (response.status_code, (await response.get_json())["code"])


async def test_an_old_refresh_token_is_refused_as_expired(world: World) -> None:
    """It was good once: sign in again."""
    me = await world.signed_up("Ada")
    world.clock.move(world.given.refresh_lifetime_s + 1)
    status, told = await refresh(world, me.refresh)
    assert (401, "REFRESH_TOKEN_EXPIRED") == (status, told["code"])


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 5000, "é" * 43])
async def test_an_invented_refresh_token_is_refused(world: World, token: str) -> None:
    """With or without the shape of one."""
    status, told = await refresh(world, token)
    assert (401, "REFRESH_TOKEN_INVALID") == (status, told["code"])


async def test_logging_out_ends_the_session_at_once(world: World) -> None:
    """Its access token and its refresh token are refused from the next request on; other sessions go on."""
    me = await world.signed_up("Ada")
    _, other = await login(world)
    response = await world.post("/api/auth/logout", token=me.access)
    assert (200, {"success": True}) == (response.status_code, await response.get_json())
    assert 401 == (await world.post("/api/actions/token", token=me.access)).status_code
    assert 401 == (await refresh(world, me.refresh))[0]
    assert 200 == (await world.post("/api/actions/token", token=str(other["accessToken"]))).status_code
    assert 200 == (await refresh(world, str(other["refreshToken"])))[0]


async def test_a_name_that_looks_like_another_is_taken(world: World) -> None:
    """Also all in letters of another script; it is said what to do."""
    await world.signed_up("Coco")
    for number, name in enumerate(("\u0441\u043e\u0441\u043e", "C0co")):
        body = {"username": name, "email": f"{number}@example.org", "password": PASSWORD}
        refused = await world.post("/api/auth/register", body)
        told = await refused.get_json()
        assert (409, "USERNAME_TAKEN") == (refused.status_code, told["code"])
        assert "looks like this one" in told["message"]
