"""Who asks for names and passwords learns of neither, by what is said nor by the work that is done."""

from __future__ import annotations

from typing import Any

import bcrypt
import pytest

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
