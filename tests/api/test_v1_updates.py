from __future__ import annotations

import base64
from typing import Any

import pytest

from actors.ports import CommitUnknown, StoreUnavailable
from actors.user.world import UserRules
from scoreboard.security.keys import KeyRing
from tests.api.v1 import ACTION, OTHER_ACTION, code_of, earned, keyed_hex, sign_up, signed, update, update_body
from tests.api.world import World, running_world

USED = (403, "INVALID_ACTION_TOKEN", {"reason": "used"})


async def test_an_update_is_answered_as_document_b_has_it(world: World) -> None:
    """The whole body; the ranks are those before and after."""
    other, me = await sign_up(world, "Bob"), await sign_up(world)
    response = await update(world, me, await earned(world, me), update_body(world, me))
    told = await response.get_json()
    assert 200 == response.status_code
    assert told == {
        "success": True,
        "data": {
            "userId": me.user_id,
            "newScore": 50,
            "scoreIncrement": 50,
            "rank": 1,
            "previousRank": 2,
            "timestamp": told["data"]["timestamp"],
        },
        "message": "Score updated successfully",
    }
    assert {other.user_id: 0, me.user_id: 50} == {key: row.score for key, row in world.players.rows.items()}


async def test_a_score_is_filed_by_the_time_at_which_it_was_proven(world: World) -> None:
    """Not by that of the update, which may come minutes later; and under the id of its action, in lower case."""
    me = await sign_up(world)
    proven_us = world.clock.now_us()
    action = "abcdefab-1111-4222-8333-444444444444"
    token = await earned(world, me, action)
    world.clock.us += 120_000_000
    await update(world, me, token, update_body(world, me, action.upper()))
    [(write, _)] = world.scores.ledger
    assert (proven_us, "COMPLETE_QUEST", 50) == (write.occurred_us, write.action_type, write.points)
    assert action == write.action_id


async def test_an_action_counts_once_however_it_comes_again(world: World) -> None:
    """The same token, and another one for the same action."""
    me = await sign_up(world)
    first, second = await earned(world, me), await earned(world, me)
    assert 200 == (await update(world, me, first, update_body(world, me))).status_code
    for token in (first, second):
        assert USED == await code_of(await update(world, me, token, update_body(world, me)))
    assert USED == await code_of(await update(world, me, second, update_body(world, me), "another-key"))
    assert 50 == world.players.rows[me.user_id].score  # type: ignore[index]


async def test_a_retry_with_its_key_hears_the_same(world: World) -> None:
    """To the letter, also when the token has long expired, and when memory has forgotten; another body is refused."""
    me = await sign_up(world)
    token, body = await earned(world, me), update_body(world, me)
    first = await update(world, me, token, body, "k")
    world.clock.us += 400_000_000
    again = await update(world, me, token, body, "k")
    assert await first.get_json() == await again.get_json()
    assert [None, "true"] == [response.headers.get("Idempotency-Replayed") for response in (first, again)]
    other = update_body(world, me, OTHER_ACTION)
    assert (422, "IDEMPOTENCY_KEY_REUSED", None) == await code_of(await update(world, me, token, other, "k"))


async def test_a_retry_hears_what_could_not_be_told_at_first(world: World) -> None:
    """The store did it and could not say so: the points stand once."""
    me = await sign_up(world)
    token, body = await earned(world, me), update_body(world, me)
    world.scores.faults.fail_after(CommitUnknown())
    first = await update(world, me, token, body, "k")
    again = await update(world, me, token, body, "k")
    assert (500, "DATABASE_ERROR", None) == await code_of(first)
    assert 200 == again.status_code
    assert 50 == world.players.rows[me.user_id].score  # type: ignore[index]


async def test_a_database_that_is_away_is_a_database_error(world: World) -> None:
    """With the time to wait; nothing has counted, and the same request does later."""
    me = await sign_up(world)
    token, body = await earned(world, me), update_body(world, me)
    world.scores.faults.fail_before(StoreUnavailable())
    refused = await update(world, me, token, body)
    assert (500, "DATABASE_ERROR", None) == await code_of(refused)
    assert "1" == refused.headers["Retry-After"]
    assert 200 == (await update(world, me, token, body)).status_code


SOMEBODY = "99999999-2222-4333-8444-555555555555"

SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"userId": "7"}, "userId"),
    ({"actionId": "quest"}, "actionId"),
    ({"actionType": ""}, "actionType"),
    ({"actionType": "x" * 51}, "actionType"),
    ({"scoreIncrement": 0}, "scoreIncrement"),
    ({"scoreIncrement": 1001}, "scoreIncrement"),
    ({"scoreIncrement": 50.5}, "scoreIncrement"),
    ({"scoreIncrement": "50"}, "scoreIncrement"),
    ({"timestamp": "now"}, "timestamp"),
    ({"timestamp": 1}, "timestamp"),
    ({"clientSignature": "a" * 63}, "clientSignature"),
    ({"clientSignature": None}, "clientSignature"),
    ({"more": 1}, "more"),
]


@pytest.mark.parametrize(("changes", "field"), SHAPES)
async def test_a_field_of_the_wrong_form_is_named(world: World, changes: dict[str, Any], field: str) -> None:
    """400, before anybody looks whose score it is or what the token says."""
    me = await sign_up(world)
    before = world.state()
    refused = await update(world, me, None, update_body(world, me, **{"userId": SOMEBODY, **changes}))
    assert (400, "INVALID_INPUT", {"field": field}) == await code_of(refused)
    assert before == world.state()


async def test_what_is_wrong_is_told_in_the_order_of_the_document(world: World) -> None:
    """Everything is wrong at first; each step mends what was told, and the last one counts."""
    me, token = await sign_up(world), ""
    wrong = {
        "userId": SOMEBODY,
        "actionType": "WIN_GAME",
        "actionId": OTHER_ACTION,
        "scoreIncrement": 51,
        "timestamp": "2100-01-01T00:00:00Z",
        "clientSignature": "é" * 64,
    }
    steps: list[tuple[tuple[int, str, Any], dict[str, Any]]] = [
        ((403, "FORBIDDEN", {"reason": "userId"}), {"userId": me.user_id}),
        ((403, "INVALID_ACTION_TOKEN", {"reason": "missing"}), {}),
        ((400, "INVALID_INPUT", {"field": "actionType"}), {"actionType": "COMPLETE_QUEST"}),
        ((400, "INVALID_INPUT", {"field": "actionId"}), {"actionId": None}),
        ((400, "INVALID_INPUT", {"field": "scoreIncrement"}), {"scoreIncrement": 50}),
        ((403, "FORBIDDEN", {"reason": "clientSignature"}), {"clientSignature": None}),
        ((400, "INVALID_INPUT", {"field": "timestamp"}), {"timestamp": None}),
    ]
    said: dict[str, Any] = dict(wrong)
    for expected, mended in steps:
        assert expected == await code_of(await update(world, me, token, update_body(world, me, **said)))
        said = {name: value for name, value in {**said, **mended}.items() if value is not None}
        token = token or (await earned(world, me) if expected[1] == "INVALID_ACTION_TOKEN" else "")
    assert 200 == (await update(world, me, token, update_body(world, me, **said))).status_code


async def test_a_key_stands_for_no_action_token(world: World) -> None:
    """Nothing was done under it, and nothing is: neither without a token, nor with an empty one."""
    me = await sign_up(world)
    missing = (403, "INVALID_ACTION_TOKEN", {"reason": "missing"})
    assert missing == await code_of(await update(world, me, None, update_body(world, me), "key"))
    assert missing == await code_of(await update(world, me, "", update_body(world, me), "another"))
    assert [] == world.scores.ledger


async def test_without_an_access_token_nothing_else_is_looked_at(world: World) -> None:
    """401, also for a body that is none."""
    response = await world.post_raw("/api/v1/scores/update", b"{", {"Content-Type": "application/json"})
    assert (401, "UNAUTHORIZED", None) == await code_of(response)


def forgeries(token: str) -> list[str]:
    """A token that was changed a little."""
    payload = token.split(".")[1]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).replace(b"\n50\n", b"\n99\n")
    richer = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    return [
        token[:-1],
        token + "A",
        token.replace("v2.", "v1."),
        token.replace(payload, richer),
        "v2..",
        "x",
        "v2." * 500,
    ]


async def test_a_token_that_was_not_made_here_counts_nothing(world: World) -> None:
    """Changed, of another server, of somebody else, too old, or there twice."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    token = await earned(world, me)
    for bad in (*forgeries(token), await earned(world, other, OTHER_ACTION)):
        expected = (403, "INVALID_ACTION_TOKEN", {"reason": "forged"})
        assert expected == await code_of(await update(world, me, bad, update_body(world, me)))
    world.clock.us += 299_999_999
    assert 200 == (await update(world, me, token, update_body(world, me))).status_code
    late = await earned(world, me, OTHER_ACTION)
    world.clock.us += 300_000_000
    expected = (403, "INVALID_ACTION_TOKEN", {"reason": "expired"})
    assert expected == await code_of(await update(world, me, late, update_body(world, me, OTHER_ACTION)))


async def test_ten_updates_a_minute_count(ring: KeyRing) -> None:
    """The eleventh waits, in document B's words; what was refused before it came so far does not count."""
    async with running_world(ring=ring, rules=UserRules(tokens=None)) as world:
        me = await sign_up(world)
        for number in range(10):
            action = f"11111111-2222-4333-8444-{number:012}"
            await update(world, me, "x", update_body(world, me, action))
            assert (
                200
                == (
                    await update(world, me, await earned(world, me, action), update_body(world, me, action))
                ).status_code
            )
        refused = await update(world, me, await earned(world, me), update_body(world, me))
        error = (await refused.get_json())["error"]
        assert (429, "60") == (refused.status_code, refused.headers["Retry-After"])
        assert {
            "code": "RATE_LIMIT_EXCEEDED",
            "message": "Too many score update requests. Please wait before trying again.",
            "retryAfter": 60,
            "timestamp": error["timestamp"],
            "requestId": error["requestId"],
        } == error


async def test_a_flood_of_invented_keys_does_not_reach_the_database(world: World) -> None:
    """What is refused is looked up for its key as often as updates are allowed, and then only in memory."""
    me = await sign_up(world)
    body, before = update_body(world, me), world.scores.faults.calls
    for number in range(30):
        refused = await update(world, me, "x", body, f"key-{number}")
        assert (403, "INVALID_ACTION_TOKEN", {"reason": "forged"}) == await code_of(refused)
    assert 10 == world.scores.faults.calls - before


async def test_a_signature_may_be_written_in_capitals(world: World) -> None:
    """Hexadecimal digits have no case."""
    me = await sign_up(world)
    body = update_body(world, me)
    body["clientSignature"] = body["clientSignature"].upper()
    assert 200 == (await update(world, me, await earned(world, me), body)).status_code


async def test_a_signature_with_another_session_s_secret_is_wrong(world: World) -> None:
    """The secret belongs to the sign-in."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    body = update_body(world, me)
    body["clientSignature"] = keyed_hex(other.secret.encode(), f"{me.user_id}{ACTION}{body['timestamp']}50")
    refused = await update(world, me, await earned(world, me), body)
    assert (403, "FORBIDDEN", {"reason": "clientSignature"}) == await code_of(refused)


async def test_a_secret_of_before_a_rotation_signs_as_long_as_its_key_is_believed(ring: KeyRing) -> None:
    """A refresh tells the one of now, which signs too; a key that is gone takes its secrets with it."""
    keys = [b"first"]
    async with running_world(ring=ring, client_keys=lambda: tuple(keys)) as world:
        me = await sign_up(world)
        keys[:] = [b"second", b"first"]
        assert 200 == (await update(world, me, await earned(world, me), update_body(world, me))).status_code
        renewed = signed(
            (await (await world.post("/api/v1/auth/refresh", {"refreshToken": me.refresh})).get_json())["data"]
        )
        assert renewed.secret != me.secret
        keys[:] = [b"second"]
        token = await earned(world, renewed, OTHER_ACTION)
        refused = await update(world, me, token, update_body(world, me, OTHER_ACTION))
        assert (403, "FORBIDDEN", {"reason": "clientSignature"}) == await code_of(refused)
        answer = await update(world, renewed, token, update_body(world, renewed, OTHER_ACTION))
        assert 200 == answer.status_code


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1e300,
    "",
    "\ud800",
    "\0",
    "é" * 64,
    "x" * 36,
    [],
    {},
    ["x"],
    {"x": 1},
)


@pytest.mark.parametrize(
    "field", ["userId", "actionType", "actionId", "scoreIncrement", "timestamp", "clientSignature"]
)
async def test_no_odd_value_is_more_than_a_refusal(world: World, field: str) -> None:
    """Of any type, in any field: 400 or 403, in document B's shape, and nothing has changed."""
    me = await sign_up(world)
    token = await earned(world, me)
    before = world.state()
    refusals = {(400, "INVALID_INPUT"), (403, "FORBIDDEN"), (403, "INVALID_ACTION_TOKEN")}
    for odd in ODD:
        body = {**update_body(world, me), field: odd}
        assert (await code_of(await update(world, me, token, body)))[:2] in refusals, odd
    assert before == world.state()
