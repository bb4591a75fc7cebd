"""A player's own sessions, and the password to them."""

from __future__ import annotations

from typing import Any

import bcrypt
import pytest
from quart import Response

from tests.api.world import PASSWORD, Me, World

SESSIONS, CHANGE = "/api/v1/users/me/sessions", "/api/v1/auth/password"
NEW = "quite another secret"


async def data_of(response: Response) -> Any:
    """What a success tells."""
    told = await response.get_json()
    assert response.status_code == 200, told
    return told["data"]


async def code_of(response: Response) -> tuple[int, str]:
    """What a refusal tells."""
    return response.status_code, (await response.get_json())["error"]["code"]


async def login(world: World, name: str, password: str = PASSWORD) -> str:
    """One more session; its access token."""
    told = await (await world.post("/api/auth/login", {"username": name, "password": password})).get_json()
    token: str = told["accessToken"]
    return token


async def delete(world: World, path: str, token: str) -> Response:
    """DELETE a path."""
    return await world.app.test_client().delete(path, headers={"Authorization": f"Bearer {token}"})


async def listed(world: World, token: str) -> list[dict[str, Any]]:
    """The sessions of who holds the token."""
    found: list[dict[str, Any]] = (await data_of(await world.get(SESSIONS, token=token)))["sessions"]
    return found


async def good(world: World, token: str) -> bool:
    """Whether a token is believed."""
    return (await world.get("/api/v1/users/me", token=token)).status_code == 200


async def test_one_sees_ones_own_sessions_and_which_is_this(world: World) -> None:
    """With when and where each began; nobody else's."""
    ada = await world.signed_up("ada")
    await world.signed_up("bob")
    second = await login(world, "ada")
    seen = await listed(world, second)
    assert [2, 1] == [len(seen), sum(each["current"] for each in seen)]
    assert {"id", "createdAt", "lastUsedAt", "expiresAt", "address", "agent", "current"} == seen[0].keys()
    other = await listed(world, ada.access)
    assert {each["id"] for each in seen} == {each["id"] for each in other}
    assert [each["current"] for each in seen] != [each["current"] for each in other]


async def test_one_session_is_ended_by_its_owner(world: World) -> None:
    """Its tokens are refused from then on; a second time there is nothing to end."""
    ada = await world.signed_up("ada")
    lost = await login(world, "ada")
    name = next(each["id"] for each in await listed(world, lost) if each["current"])
    assert {"ended": 1} == await data_of(await delete(world, f"{SESSIONS}/{name}", ada.access))
    assert not await good(world, lost)
    assert await good(world, ada.access)
    assert (404, "NOT_FOUND") == await code_of(await delete(world, f"{SESSIONS}/{name}", ada.access))


async def test_a_session_is_named_as_one_writes_it(world: World) -> None:
    """An id is the same in capitals."""
    ada = await world.signed_up("ada")
    name = (await listed(world, await login(world, "ada")))[0]["id"]
    assert name != name.upper()
    assert {"ended": 1} == await data_of(await delete(world, f"{SESSIONS}/{name.upper()}", ada.access))


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-000000000000", "x", "%00", "..", "'; DROP TABLE sessions"])
async def test_a_session_that_is_none_is_not_found(name: str, world: World) -> None:
    """Whatever stands there; nothing changes."""
    ada = await world.signed_up("ada")
    before = world.state()
    assert (404, "NOT_FOUND") == await code_of(await delete(world, f"{SESSIONS}/{name}", ada.access))
    assert before == world.state()


async def test_nobody_ends_the_session_of_another(world: World) -> None:
    """It is answered as one that never was, and goes on."""
    ada, bob = await world.signed_up("ada"), await world.signed_up("bob")
    [mine] = await listed(world, ada.access)
    before = world.state()
    assert (404, "NOT_FOUND") == await code_of(await delete(world, f"{SESSIONS}/{mine['id']}", bob.access))
    assert before == world.state()
    assert await good(world, ada.access)


async def test_all_others_are_ended_at_once(world: World) -> None:
    """The one that asks stays, and so do all of other players."""
    ada, bob = await world.signed_up("ada"), await world.signed_up("bob")
    others = [await login(world, "ada") for _ in range(3)]
    assert {"ended": 3} == await data_of(await delete(world, SESSIONS, ada.access))
    assert [False] * 3 == [await good(world, each) for each in others]
    assert [True] * 2 == [await good(world, each.access) for each in (ada, bob)]


async def change(world: World, me: Me, current: str, new: str) -> Response:
    """Ask for another password."""
    return await world.post(CHANGE, {"currentPassword": current, "newPassword": new}, token=me.access)


async def test_a_password_is_changed_by_who_knows_it(world: World) -> None:
    """All other sessions end; from then on the new one opens, and the old one does not."""
    ada = await world.signed_up("ada")
    other = await login(world, "ada")
    assert {"ended": 1} == await data_of(await change(world, ada, PASSWORD, NEW))
    assert (True, False) == (await good(world, ada.access), await good(world, other))
    refused = await world.post("/api/auth/login", {"username": "ada", "password": PASSWORD})
    assert 401 == refused.status_code
    assert await good(world, await login(world, "ada", NEW))


@pytest.mark.parametrize(
    ("current", "new", "told"),
    [
        ("not the password", NEW, (401, "INVALID_CREDENTIALS")),
        ("x" * 100, NEW, (401, "INVALID_CREDENTIALS")),
        (PASSWORD, "short", (400, "INVALID_INPUT")),
        (PASSWORD, "x" * 73, (400, "INVALID_INPUT")),
        (PASSWORD, "password123", (400, "INVALID_INPUT")),
        (PASSWORD, "ada12345", (400, "INVALID_INPUT")),
    ],
)
async def test_a_change_that_is_refused_changes_nothing(
    current: str, new: str, told: tuple[int, str], world: World
) -> None:
    """Neither the password nor a session."""
    ada = await world.signed_up("ada12345")
    before = world.state()
    assert told == await code_of(await change(world, ada, current, new))
    assert before == world.state()


async def test_a_password_that_was_changed_meanwhile_is_no_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who change it at once, each with the old one, the first has done so; the other hears that it is wrong."""
    me, hashing = await world.signed_up("ada"), bcrypt.hashpw
    row = next(iter(world.players.rows.values()))

    def overtaken(password: bytes, salt: bytes) -> bytes:
        row.password_hash = "of somebody faster"
        return hashing(password, salt)

    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.hashpw", overtaken)
    assert (401, "INVALID_CREDENTIALS") == await code_of(await change(world, me, PASSWORD, "quite another secret"))
    assert "of somebody faster" == row.password_hash


async def test_a_common_password_makes_no_account(world: World) -> None:
    """The sentence says why."""
    body = {"username": "ada", "email": "ada@example.org", "password": "password123"}
    response = await world.post("/api/auth/register", body)
    told = await response.get_json()
    assert (400, "INVALID_INPUT") == (response.status_code, told["code"])
    assert "many people use" in told["message"]
    assert not world.players.rows
