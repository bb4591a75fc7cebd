from __future__ import annotations

import jwt
import pytest

from scoreboard.security.keys import KeyRing
from tests.api.v1 import Signed, code_of, error_of, sign_up, signed
from tests.api.world import LIFETIME_S, PASSWORD, World, running_world

ADA = {"username": "Ada", "email": "ada@example.org", "password": PASSWORD}


async def test_who_registers_in_the_words_of_document_b_is_signed_in(world: World) -> None:
    """The envelope with who it is, both tokens, their time, and the secret for signatures; nothing else."""
    response = await world.post("/api/v1/auth/register", ADA)
    told = await response.get_json()
    data = told["data"]
    assert 201 == response.status_code
    assert told == {"success": True, "data": data, "message": "Registered successfully"}
    assert data == {
        "userId": data["userId"],
        "username": "Ada",
        "accessToken": data["accessToken"],
        "refreshToken": data["refreshToken"],
        "expiresIn": LIFETIME_S,
        "clientSecret": data["clientSecret"],
    }
    assert 64 == len(bytes.fromhex(data["clientSecret"])) * 2


async def test_an_access_token_has_the_claims_of_document_b(world: World) -> None:
    """But for the e-mail address, which is nobody's business who reads a token."""
    me = await sign_up(world)
    claims = jwt.decode(me.access, options={"verify_signature": False})
    assert {"sub", "username", "role", "permissions", "iat", "exp", "iss", "aud", "jti"} == set(claims)
    assert (me.user_id, "Ada", "user", ["score.update", "leaderboard.view"]) == (
        claims["sub"],
        claims["username"],
        claims["role"],
        claims["permissions"],
    )
    assert ("scoreboard-api", "scoreboard-client", LIFETIME_S) == (
        claims["iss"],
        claims["aud"],
        claims["exp"] - claims["iat"],
    )


async def test_a_session_keeps_its_secret_and_another_has_another(world: World) -> None:
    """Rotated with the sign-in, not with each access token."""
    me = await sign_up(world)
    refreshed = await (await world.post("/api/v1/auth/refresh", {"refreshToken": me.refresh})).get_json()
    again = await (await world.post("/api/v1/auth/login", {"username": "Ada", "password": PASSWORD})).get_json()
    assert me.secret == signed(refreshed["data"]).secret
    assert me.secret != signed(again["data"]).secret
    assert {"Signed in successfully"} == {refreshed["message"], again["message"]}
    assert set(refreshed["data"]) == set(again["data"]) == {
        "userId", "username", "accessToken", "refreshToken", "expiresIn", "clientSecret",
    }  # fmt: skip


async def test_after_a_logout_the_access_token_is_refused(world: World) -> None:
    """As UNAUTHORIZED, with the reason."""
    me = await sign_up(world)
    response = await world.post("/api/v1/auth/logout", token=me.access)
    assert {"success": True, "data": None, "message": "Signed out successfully"} == await response.get_json()
    refused = await world.get("/api/v1/users/me", token=me.access)
    assert (401, "UNAUTHORIZED", {"reason": "ACCESS_TOKEN_REVOKED"}) == await code_of(refused)


async def test_an_expired_access_token_is_told_to_be_expired(world: World) -> None:
    """So that a client refreshes; anything else is UNAUTHORIZED."""
    me = await sign_up(world)
    assert (401, "UNAUTHORIZED", None) == await code_of(await world.get("/api/v1/users/me"))
    assert (401, "UNAUTHORIZED", None) == await code_of(await world.get("/api/v1/users/me", token="x" + me.access))
    world.clock.us += LIFETIME_S * 1_000_000
    assert (401, "TOKEN_EXPIRED", None) == await code_of(await world.get("/api/v1/users/me", token=me.access))


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("register", {**ADA, "username": "a"}, (400, "INVALID_INPUT", None)),
        ("register", {**ADA, "admin": True}, (400, "INVALID_INPUT", {"field": "admin"})),
        ("register", {"username": "Bob"}, (400, "INVALID_INPUT", {"field": "email"})),
        ("register", {**ADA, "username": 7}, (400, "INVALID_INPUT", {"field": "username"})),
        ("register", ADA, (409, "USERNAME_TAKEN", None)),
        ("register", {**ADA, "username": "Bob"}, (409, "EMAIL_TAKEN", None)),
        ("login", {"username": "Ada", "password": "wrong password"}, (401, "INVALID_CREDENTIALS", None)),
        ("refresh", {"refreshToken": "x"}, (401, "REFRESH_TOKEN_INVALID", None)),
    ],
)
async def test_what_cannot_be_signed_in_is_refused_in_document_b_s_shape(
    world: World, path: str, body: object, expected: tuple[int, str, object]
) -> None:
    """And nothing has changed."""
    await world.post("/api/v1/auth/register", ADA)
    before = world.state()
    assert expected == await code_of(await world.post(f"/api/v1/auth/{path}", body))
    assert before == world.state()


@pytest.mark.parametrize("under", ["/api/auth", "/api/v1/auth"])
async def test_a_registration_whose_answer_was_lost_is_answered_again(world: World, under: str) -> None:
    """With the same key and body: the same account, with a session that works; without, the name is taken."""
    key = {"Idempotency-Key": "k"}
    first = await world.post(f"{under}/register", ADA, headers=key)
    again = await world.post(f"{under}/register", ADA, headers=key)
    assert [201, 201] == [first.status_code, again.status_code]
    assert [None, "true"] == [response.headers.get("Idempotency-Replayed") for response in (first, again)]
    told = [await response.get_json() for response in (first, again)]
    data = [each.get("data", each) for each in told]
    assert data[0]["userId"] == data[1]["userId"]
    for each in data:
        assert 200 == (await world.get("/api/v1/users/me", token=each["accessToken"])).status_code
    assert 409 == (await world.post(f"{under}/register", ADA)).status_code
    assert 409 == (await world.post(f"{under}/register", ADA, headers={"Idempotency-Key": "l"})).status_code
    changed = {**ADA, "password": "another secret"}
    assert 409 == (await world.post(f"{under}/register", changed, headers=key)).status_code
    assert 1 == len(world.players.rows)


async def test_a_registration_of_somebody_banned_is_not_answered_again(world: World) -> None:
    """Nor is anybody let in who guesses a key."""
    key = {"Idempotency-Key": "k"}
    me = signed((await (await world.post("/api/v1/auth/register", ADA, headers=key)).get_json())["data"])
    world.players.rows[me.user_id].banned = True  # type: ignore[index]
    refused = await world.post("/api/v1/auth/register", ADA, headers=key)
    assert (403, "FORBIDDEN", {"reason": "USER_BANNED"}) == await code_of(refused)


async def test_a_key_is_between_1_and_255_visible_characters(world: World) -> None:
    """Anything else could not be kept."""
    for key in ("", "a b", "x" * 256):
        refused = await world.post("/api/v1/auth/register", ADA, headers={"Idempotency-Key": key})
        assert (400, "INVALID_INPUT", None) == await code_of(refused)


async def test_an_error_of_document_b_holds_what_its_table_says(world: World) -> None:
    """Code, message, details, time and request id; the time to wait where there is one."""
    response = await world.post("/api/v1/auth/register", {**ADA, "x": 1}, headers={"X-Request-Id": "req-1"})
    told = await response.get_json()
    assert told == {
        "success": False,
        "error": {
            "code": "INVALID_INPUT",
            "message": "The body is not as expected: Object contains unknown field `x`.",
            "details": {"field": "x"},
            "timestamp": told["error"]["timestamp"],
            "requestId": "req-1",
        },
    }


async def test_the_same_account_serves_both_documents(ring: KeyRing) -> None:
    """One core: who registers there may log in here."""
    async with running_world(ring=ring) as world:
        await world.signed_up("Ada")
        response = await world.post("/api/v1/auth/login", {"username": "Ada", "password": PASSWORD})
        me: Signed = signed((await response.get_json())["data"])
        assert 200 == (await world.post("/api/actions/token", token=me.access)).status_code
        assert {"code", "message"} == set(await error_of(await world.post("/api/v1/auth/login", {}))) - {"details"}
