from __future__ import annotations

from typing import Any

import pytest

from tests.api.v1 import ACTION, OTHER_ACTION, code_of, complete, earned, proof_of, scored, sign_up, update, update_body
from tests.api.world import World


async def test_the_catalogue_is_open_to_everybody(world: World) -> None:
    """What counts, by name; what it is worth, and what people read of it."""
    response = await world.get("/api/v1/actions")
    told = [("ACHIEVEMENT_UNLOCK", 25), ("COMPLETE_QUEST", 50), ("INCREMENT", 1), ("WIN_GAME", 100)]
    assert {
        "success": True,
        "data": {
            "actions": [{"actionType": name, "points": points, "description": None} for name, points in told],
        },
    } == await response.get_json()
    assert "public, max-age=60" == response.headers["Cache-Control"]


async def test_a_proof_is_answered_with_a_token(world: World) -> None:
    """For 300 seconds, and what the catalogue says."""
    me = await sign_up(world)
    response = await complete(world, me)
    told = await response.get_json()
    token = told["data"]["actionToken"]
    assert 200 == response.status_code
    assert told == {
        "success": True,
        "data": {"actionToken": token, "expiresIn": 300, "scoreIncrement": 50},
        "message": "Action verified successfully",
    }
    assert ["v2", 3] == [token.split(".")[0], len(token.split("."))]


async def test_a_proof_may_be_an_object_or_one_text_or_the_bare_signature(world: World) -> None:
    """What it leaves out stands in the body."""
    me = await sign_up(world)
    proof = proof_of(world, me)
    compact = ".".join((proof["actionType"], proof["timestamp"], proof["signature"]))
    bare = {"proof": proof["signature"], "actionType": proof["actionType"]}
    for changes in ({"proof": compact}, bare, {**bare, "proof": {"signature": proof["signature"]}}):
        assert 200 == (await complete(world, me, **changes)).status_code
    assert 200 == (await complete(world, me, actionId=ACTION.upper())).status_code


LATER = "2100-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"actionId": "7"}, (400, "INVALID_INPUT", {"field": "actionId"})),
        ({"actionId": ACTION + "\n"}, (400, "INVALID_INPUT", {"field": "actionId"})),
        ({"actionId": None}, (400, "INVALID_INPUT", {"field": "actionId"})),
        ({"proof": 7}, (400, "INVALID_INPUT", {"field": "proof"})),
        ({"proof": {}}, (400, "INVALID_INPUT", {"field": "proof.signature"})),
        ({"proof": {"signature": "x", "more": 1}}, (400, "INVALID_INPUT", {"field": "proof.more"})),
        ({"proof": "a.b"}, (400, "INVALID_INPUT", {"field": "proof"})),
        ({"proof": "x"}, (400, "INVALID_INPUT", {"field": "actionType"})),
        ({"actionType": "WIN_GAME"}, (400, "INVALID_INPUT", {"field": "actionType"})),
        ({"timestamp": "yesterday"}, (400, "INVALID_INPUT", {"field": "timestamp"})),
        ({"timestamp": "2025-02-30T00:00:00Z"}, (400, "INVALID_INPUT", {"field": "timestamp"})),
        ({"more": 1}, (400, "INVALID_INPUT", {"field": "more"})),
        ({"actionType": "FLY", "proof": "x"}, (404, "ACTION_NOT_FOUND", None)),
        ({"actionType": "WIN_GAME", "proof": "x"}, (403, "FORBIDDEN", {"reason": "forged"})),
        ({"actionType": "WIN_GAME", "proof": "é" * 64}, (403, "FORBIDDEN", {"reason": "forged"})),
        ({"actionId": OTHER_ACTION}, (403, "FORBIDDEN", {"reason": "forged"})),
        ({"actionType": "WIN_GAME", "proof": "x", "timestamp": LATER}, (403, "FORBIDDEN", {"reason": "forged"})),
    ],
)
async def test_what_is_no_proof_is_refused(world: World, changes: dict[str, Any], expected: object) -> None:
    """With its code, and with the field or the reason."""
    me = await sign_up(world)
    assert expected == await code_of(await complete(world, me, **changes))


async def test_a_proof_is_good_for_a_minute_and_for_its_player(world: World) -> None:
    """To the second; five seconds are left to clocks that differ."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    for age_s, expected in ((60, 200), (61, 403), (-5, 200), (-6, 403)):
        assert expected == (await complete(world, me, proof=proof_of(world, me, age_s=age_s))).status_code
    stolen = await complete(world, other, proof=proof_of(world, me))
    assert (403, "FORBIDDEN", {"reason": "forged"}) == await code_of(stolen)


async def test_an_action_that_has_counted_is_not_proven_again(world: World) -> None:
    """Nor for anybody else."""
    me, other = await sign_up(world), await sign_up(world, "Bob")
    await scored(world, me)
    for who in (me, other):
        assert (409, "ACTION_ALREADY_COMPLETED", None) == await code_of(await complete(world, who))


async def test_ten_proofs_a_minute_are_looked_at(world: World) -> None:
    """As requests for tokens of either document."""
    me = await sign_up(world)
    for _ in range(9):
        await complete(world, me)
    assert 200 == (await world.post("/api/actions/token", token=me.access)).status_code
    refused = await complete(world, me)
    assert (429, "RATE_LIMIT_EXCEEDED", None) == await code_of(refused)
    assert "60" == refused.headers["Retry-After"]


async def test_the_points_are_those_of_the_proof_until_the_token_ends(world: World) -> None:
    """What an operator changes meanwhile counts from the next proof on."""
    me = await sign_up(world)
    token = await earned(world, me)
    world.scores.catalogue["COMPLETE_QUEST"] = 7
    response = await update(world, me, token, update_body(world, me))
    assert 50 == (await response.get_json())["data"]["newScore"]
