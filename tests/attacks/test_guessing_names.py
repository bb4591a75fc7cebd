"""Who asks for names and passwords learns of neither, by what is said nor by the work that is done."""

from __future__ import annotations

import json
from typing import Any

import bcrypt
import pytest

from tests.api.test_quarantine import stand
from tests.api.world import World

LOGINS = ("/api/auth/login", "/api/v1/auth/login")
#: Of each answer alone.
OWN = {"timestamp", "requestId"}


async def heard(world: World, path: str, name: str, password: str) -> tuple[int, dict[str, Any], set[str]]:
    """Status, body and headers of a sign-in, without what differs between any two answers."""
    answer = await world.post(path, {"username": name, "password": password})
    told: dict[str, Any] = await answer.get_json()
    error = told.get("error")
    for part in (told, error if isinstance(error, dict) else {}):
        for each in OWN & part.keys():
            del part[each]
    return answer.status_code, told, set(answer.headers.keys())


@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize("password", ["not the password", "x" * 73, "é" * 37, "", "\u0001"])
async def test_a_name_that_is_none_is_answered_like_a_wrong_password(path: str, password: str, world: World) -> None:
    """In status, words and headers; nothing is written either time, and nobody is signed in."""
    await world.signed_up("ada")
    before = world.state()
    known, unknown = [await heard(world, path, name, password) for name in ("ada", "nobody at all")]
    assert known == unknown
    assert 401 == known[0]
    assert before == world.state()


@pytest.mark.parametrize("password", ["not the password", "x" * 73])
async def test_the_same_work_is_done_for_a_name_that_is_none(
    password: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison at the same cost, or none for what cannot be a password: the time tells nothing."""
    await world.signed_up("ada")
    costs: list[bytes] = []
    compare = bcrypt.checkpw

    def counted(secret: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return compare(secret, hashed)

    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.checkpw", counted)
    done = []
    for name in ("ada", "nobody at all"):
        costs.clear()
        await heard(world, LOGINS[0], name, password)
        done.append(tuple(costs))
    assert done[0] == done[1]
    assert len(done[0]) == (1 if len(password) <= 72 else 0)


async def test_a_banned_player_is_told_so_only_by_the_right_password(world: World) -> None:
    """Otherwise anybody could ask who is banned."""
    ada = await world.signed_up("ada")
    next(row for row in world.players.rows.values() if row.user_id == ada.user_id).banned = True
    assert 401 == (await heard(world, LOGINS[0], "ada", "not the password"))[0]
    assert 403 == (await heard(world, LOGINS[0], "ada", "a long enough secret"))[0]


@pytest.mark.parametrize("path", LOGINS)
async def test_a_name_that_is_none_costs_as_many_looks_into_the_database(path: str, world: World) -> None:
    """With a password that could be one, and with one that cannot."""
    await world.signed_up("ada")
    for password in ("not the password", "x" * 73):
        looks = []
        for name in ("ada", "nobody at all"):
            before = world.accounts.faults.calls
            await heard(world, path, name, password)
            looks.append(world.accounts.faults.calls - before)
        assert looks[0] == looks[1]


OF_A_PLAYER = ("/api/scores/user/{}", "/api/v1/leaderboard/rank/{}", "/api/v1/leaderboard/around/{}")
NOBODY = "00000000-0000-4000-8000-00000000dead"


async def seen(world: World, path: str, token: str | None, who: str) -> tuple[int, dict[str, Any]]:
    """What is told of somebody, without what differs between any two answers, or because of the id."""
    answer = await world.get(path.format(who), token=token)
    told = json.loads((await answer.get_data(as_text=True)).replace(who, "somebody"))
    for part in (told, told.get("error") if isinstance(told.get("error"), dict) else {}):
        for each in OWN & part.keys():
            del part[each]
    return answer.status_code, told


@pytest.mark.parametrize("change", [{"quarantined": True}, {"banned": True}], ids=["quarantined", "banned"])
@pytest.mark.parametrize("path", OF_A_PLAYER)
async def test_who_is_hidden_looks_like_nobody_at_all(path: str, change: dict[str, Any], world: World) -> None:
    """To strangers and to other players: so nobody learns of whom the watch has found out."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    await world.point(ada)
    await stand(world, ada, **change)
    for token in (None, mallory.access):
        assert await seen(world, path, token, NOBODY) == await seen(world, path, token, ada.user_id)
        assert 404 == (await seen(world, path, token, ada.user_id))[0]


@pytest.mark.parametrize("path", ["", "/standing", "/role", "/sessions/end"])
async def test_routes_of_those_in_charge_tell_others_of_nobody(path: str, world: World) -> None:
    """Whether a player exists, is a moderator, or is oneself: the answer is the same."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    before = world.state()
    for token, status in ((None, 401), (mallory.access, 403)):
        told = []
        for who in (ada.user_id, mallory.user_id, NOBODY, "nonsense"):
            there = f"/api/v1/admin/users/{who}{path}"
            answer = await (world.post(there, {"reason": "x"}, token=token) if path else world.get(there, token=token))
            told.append((answer.status_code, (await answer.get_json())["error"]["message"]))
        assert [(status, told[0][1])] * 4 == told
    assert before == world.state()


async def test_the_session_of_another_looks_like_none(world: World) -> None:
    """Whoever tries the ids of sessions learns of none."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    listed = await (await world.get("/api/v1/users/me/sessions", token=ada.access)).get_json()
    told = []
    for session in (listed["data"]["sessions"][0]["id"], NOBODY):
        headers = {"Authorization": f"Bearer {mallory.access}"}
        answer = await world.app.test_client().delete(f"/api/v1/users/me/sessions/{session}", headers=headers)
        error = (await answer.get_json())["error"]
        told.append((answer.status_code, error["code"], error["message"]))
    assert told[0] == told[1]
    assert 404 == told[0][0]
