from __future__ import annotations

import re
from typing import Any

import pytest
from trio.testing import MockClock

from tests.api.world import World


async def test_an_action_token_has_document_a_s_form(world: World) -> None:
    """The token, when it ends, and for how long it is good."""
    me = await world.signed_up("Ada")
    response = await world.post("/api/actions/token", token=me.access)
    told = await response.get_json()
    assert {"actionToken", "expiresAt", "expiresIn"} == set(told)
    assert {"userId", "timestamp", "nonce", "signature"} == set(told["actionToken"])
    assert (me.user_id, 60) == (told["actionToken"]["userId"], told["expiresIn"])
    assert told["actionToken"]["timestamp"] + 60_000 == told["expiresAt"]
    assert re.fullmatch("[0-9a-f]{64}", told["actionToken"]["signature"])


async def test_an_empty_object_is_as_good_as_no_body(world: World) -> None:
    """Clients that always send JSON are not turned away."""
    me = await world.signed_up("Ada")
    assert 200 == (await world.post("/api/actions/token", {}, token=me.access)).status_code


async def test_an_increment_answers_score_and_ranks(unlimited: World) -> None:
    """Up from the second place to the first."""
    ada, bob = await unlimited.signed_up("Ada"), await unlimited.signed_up("Bob")
    await unlimited.point(ada)
    await unlimited.point(bob)
    response = await unlimited.increment(bob, await unlimited.action_token(bob))
    expected = {"success": True, "newScore": 2, "previousRank": 2, "newRank": 1, "rankChanged": True}
    assert (200, expected) == (response.status_code, await response.get_json())
    response = await unlimited.increment(bob, await unlimited.action_token(bob))
    assert (3, False) == ((told := await response.get_json())["newScore"], told["rankChanged"])
    assert "Idempotency-Replayed" not in response.headers


async def test_the_ledger_knows_where_a_score_came_from(world: World) -> None:
    """The peer's address and the user agent, no header believed about the address; and the token, by its nonce."""
    me = await world.signed_up("Ada")
    client = world.app.test_client()
    headers = {"Authorization": f"Bearer {me.access}", "User-Agent": "thing/1", "X-Forwarded-For": "9.9.9.9"}
    headers["Remote-Addr"] = "9.9.9.9"
    token = await world.action_token(me)
    body = {"actionToken": token}
    peer: Any = {"client": ("203.0.113.7", 4711)}
    await client.post("/api/scores/increment", json=body, headers=headers, scope_base=peer)
    [(write, _)] = world.scores.ledger
    assert ("203.0.113.7", "thing/1") == (write.source.address, write.source.user_agent)
    assert token["nonce"] == write.action_id


async def test_a_retry_with_its_key_gets_the_first_answer(world: World) -> None:
    """Marked as a replay, and counted once."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    first, second = await world.increment(me, token, "k-1"), await world.increment(me, token, "k-1")
    assert (200, 200) == (first.status_code, second.status_code)
    assert await first.get_json() == await second.get_json()
    assert (None, "true") == tuple(each.headers.get("Idempotency-Replayed") for each in (first, second))
    assert 1 == len(world.scores.ledger)


async def test_a_key_that_comes_with_another_body_is_refused(world: World) -> None:
    """422, and the second token is still good."""
    me = await world.signed_up("Ada")
    await world.increment(me, await world.action_token(me), "k-1")
    other = await world.action_token(me)
    response = await world.increment(me, other, "k-1")
    assert (422, "IDEMPOTENCY_KEY_REUSED") == (response.status_code, (await response.get_json())["code"])
    assert 200 == (await world.increment(me, other, "k-2")).status_code


@pytest.mark.parametrize("key", ["", " ", "two words", "ä", "x" * 256])
async def test_a_key_is_visible_ascii_of_bounded_length(world: World, key: str) -> None:
    """Anything else is told to be wrong before anything happens."""
    me = await world.signed_up("Ada")
    response = await world.increment(me, await world.action_token(me), key)
    assert (400, "INVALID_INPUT") == (response.status_code, (await response.get_json())["code"])
    assert [] == world.scores.ledger


async def test_the_longest_key_is_accepted(world: World) -> None:
    """255 characters, from the first visible one to the last."""
    me = await world.signed_up("Ada")
    response = await world.increment(me, await world.action_token(me), "!~" + "x" * 253)
    assert 200 == response.status_code


async def test_a_token_counts_once(world: World) -> None:
    """The words are those of document A."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    await world.increment(me, token)
    response = await world.increment(me, token)
    message = "Action token has already been used"
    expected = {"error": "Invalid token", "message": message, "code": "TOKEN_ALREADY_USED"}
    assert (400, expected) == (response.status_code, await response.get_json())


async def test_an_old_token_has_expired(world: World) -> None:
    """The words are those of document A."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    world.clock.move(60)
    response = await world.increment(me, token)
    expected = {"error": "Invalid token", "message": "Action token has expired", "code": "TOKEN_EXPIRED"}
    assert (400, expected) == (response.status_code, await response.get_json())


@pytest.mark.parametrize(
    "change",
    [{"signature": "0" * 64}, {"signature": "é"}, {"nonce": "other"}, {"timestamp": 1}, {"userId": "somebody:else"}],
)
async def test_a_token_that_was_changed_is_invalid(world: World, change: dict[str, Any]) -> None:
    """Whatever was changed, and however odd it looks."""
    me = await world.signed_up("Ada")
    response = await world.increment(me, await world.action_token(me) | change)
    assert (400, "TOKEN_INVALID") == (response.status_code, (await response.get_json())["code"])
    assert [] == world.scores.ledger


async def test_a_token_of_somebody_else_is_invalid(world: World) -> None:
    """Rightly signed, but not mine."""
    ada, bob = await world.signed_up("Ada"), await world.signed_up("Bob")
    response = await world.increment(ada, await world.action_token(bob))
    assert (400, "TOKEN_INVALID") == (response.status_code, (await response.get_json())["code"])


async def test_too_many_tokens_are_refused_with_the_time_to_wait(walking_clock: MockClock, world: World) -> None:
    """Ten a minute; body and header tell the same whole seconds."""
    me = await world.signed_up("Ada")
    for _ in range(10):
        await world.action_token(me)
    walking_clock.jump(14.1)
    response = await world.post("/api/actions/token", token=me.access)
    expected = {
        "error": "Rate limit exceeded",
        "message": "Maximum 10 token requests per minute",
        "code": "RATE_LIMITED",
        "retryAfter": 46,
    }
    assert (429, expected) == (response.status_code, await response.get_json())
    assert "46" == response.headers["Retry-After"]


async def test_too_many_increments_are_refused(world: World) -> None:
    """Five a minute."""
    me = await world.signed_up("Ada")
    for _ in range(5):
        await world.point(me)
    response = await world.increment(me, await world.action_token(me))
    assert (429, 5) == (response.status_code, len(world.scores.ledger))


async def test_a_banned_player_does_not_score(world: World) -> None:
    """403, with an access token that is still in time."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    next(iter(world.players.rows.values())).banned = True
    response = await world.increment(me, token)
    assert (403, "USER_BANNED") == (response.status_code, (await response.get_json())["code"])


async def test_a_player_who_is_gone_does_not_score(world: World) -> None:
    """404."""
    me = await world.signed_up("Ada")
    token = await world.action_token(me)
    world.players.rows.clear()
    response = await world.increment(me, token)
    assert (404, "USER_NOT_FOUND") == (response.status_code, (await response.get_json())["code"])


async def test_a_player_s_standing_has_document_a_s_form(unlimited: World) -> None:
    """Open to everybody."""
    ada, bob = await unlimited.signed_up("Ada"), await unlimited.signed_up("Bob")
    await unlimited.point(ada)
    response = await unlimited.get(f"/api/scores/user/{ada.user_id}")
    told = await response.get_json()
    assert re.fullmatch(r"2025-06-15T\d\d:\d\d:\d\d\.\d{3}Z", told.pop("lastUpdated"))
    expected = {"userId": ada.user_id, "username": "Ada", "score": 1, "rank": 1, "percentile": 100.0}
    assert (200, expected) == (response.status_code, told)
    assert 50.0 == (await (await unlimited.get(f"/api/scores/user/{bob.user_id}")).get_json())["percentile"]


@pytest.mark.parametrize("user_id", ["nobody", "%00", "%F0%9F%90%8D", "..", "a%2Fb" * 3, "x" * 2000])
async def test_a_player_who_never_was_is_not_found(world: World, user_id: str) -> None:
    """404 in the shape of all errors, whatever stands in the address."""
    response = await world.get(f"/api/scores/user/{user_id}")
    told = await response.get_json()
    assert (404, {"error", "message", "code"}) == (response.status_code, set(told))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "UNAUTHORIZED"),
        ("", "UNAUTHORIZED"),
        ("Bearer", "UNAUTHORIZED"),
        ("Bearer ", "UNAUTHORIZED"),
        ("Basic YTpi", "UNAUTHORIZED"),
        ("Bearer nonsense", "ACCESS_TOKEN_INVALID"),
        ("Bearer a.b.c", "ACCESS_TOKEN_INVALID"),
        ("Bearer " + "é" * 50, "ACCESS_TOKEN_INVALID"),
        ("Bearer " + "x" * 7000, "ACCESS_TOKEN_INVALID"),
    ],
)
@pytest.mark.parametrize("path", ["/api/actions/token", "/api/scores/increment", "/api/auth/logout"])
async def test_without_an_access_token_one_is_challenged(
    world: World, path: str, header: str | None, code: str
) -> None:
    """401 with WWW-Authenticate, before the body is looked at."""
    response = await world.post(path, headers={} if header is None else {"Authorization": header})
    assert (401, code) == (response.status_code, (await response.get_json())["code"])
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="scoreboard"')


async def test_an_access_token_that_has_expired_says_so(world: World) -> None:
    """In the code, and in the challenge for libraries."""
    me = await world.signed_up("Ada")
    world.clock.move(world.given.tokens.lifetime_s)
    response = await world.post("/api/actions/token", token=me.access)
    assert (401, "ACCESS_TOKEN_EXPIRED") == (response.status_code, (await response.get_json())["code"])
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


async def test_the_word_bearer_may_be_written_in_any_case(world: World) -> None:
    """RFC 9110 has schemes without case."""
    me = await world.signed_up("Ada")
    response = await world.post("/api/actions/token", headers={"Authorization": f"bEARER {me.access}"})
    assert 200 == response.status_code
