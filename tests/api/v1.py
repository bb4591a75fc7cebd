"""Verbs of document B, and its shapes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from quart import Response

from scoreboard.security.keys import GAME
from scoreboard.wire.times import iso
from tests.api.world import PASSWORD, World

ACTION = "11111111-2222-4333-8444-555555555555"
OTHER_ACTION = "11111111-2222-4333-8444-666666666666"


@dataclass
class Signed:
    """Somebody who is signed in, with the secret for signatures."""

    user_id: str
    username: str
    access: str
    refresh: str
    secret: str


def keyed_hex(key: bytes, text: str) -> str:
    """HMAC-SHA256, as document B and games write it."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


async def sign_up(world: World, name: str = "Ada") -> Signed:
    """Register somebody."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    return signed((await (await world.post("/api/v1/auth/register", body)).get_json())["data"])


def signed(data: dict[str, Any]) -> Signed:
    """What was told to who signed in."""
    return Signed(data["userId"], data["username"], data["accessToken"], data["refreshToken"], data["clientSecret"])


def proof_of(
    world: World, me: Signed, action_type: str = "COMPLETE_QUEST", action_id: str = ACTION, age_s: int = 0
) -> dict[str, str]:
    """What the game's server says of an action that was done so long ago."""
    timestamp = iso(world.clock.now_us() - age_s * 1_000_000)
    text = f"{action_type}:{action_id}:{me.user_id}:{timestamp}"
    return {
        "actionType": action_type,
        "timestamp": timestamp,
        "signature": keyed_hex(world.keys.game_keys[GAME][0], text),
    }


async def complete(world: World, me: Signed, action_id: str = ACTION, **changes: Any) -> Response:
    """Pass a proof on; `changes` replace fields of the body."""
    proof = proof_of(world, me, action_id=action_id)
    body = {"actionId": action_id, "proof": proof, "timestamp": proof["timestamp"], **changes}
    return await world.post("/api/v1/actions/complete", body, token=me.access)


async def earned(world: World, me: Signed, action_id: str = ACTION) -> str:
    """An action token."""
    token: str = (await (await complete(world, me, action_id)).get_json())["data"]["actionToken"]
    return token


def update_body(world: World, me: Signed, action_id: str = ACTION, **changes: Any) -> dict[str, Any]:
    """A signed update; `changes` replace fields, and the signature fits them unless it is one of them."""
    body = {
        "userId": me.user_id,
        "actionType": "COMPLETE_QUEST",
        "actionId": action_id,
        "scoreIncrement": 50,
        "timestamp": iso(world.clock.now_us()),
        **changes,
    }
    text = f"{body['userId']}{body['actionId']}{body['timestamp']}{body['scoreIncrement']}"
    return {"clientSignature": keyed_hex(me.secret.encode(), text), **body}


async def update(world: World, me: Signed, token: str | None, body: dict[str, Any], key: str | None = None) -> Response:
    """Spend an action token."""
    headers = {} if token is None else {"X-Action-Token": token}
    if key is not None:
        headers["Idempotency-Key"] = key
    return await world.post("/api/v1/scores/update", body, token=me.access, headers=headers)


async def scored(world: World, me: Signed, action_id: str = ACTION) -> None:
    """Fifty points more."""
    assert (
        200
        == (await update(world, me, await earned(world, me, action_id), update_body(world, me, action_id))).status_code
    )


async def error_of(response: Response) -> dict[str, Any]:
    """The error without what is different each time, which must be there."""
    told = await response.get_json()
    assert {"success": False, "error": told["error"]} == told
    error: dict[str, Any] = told["error"]
    assert response.headers["X-Request-Id"] == error.pop("requestId")
    assert error.pop("timestamp").endswith("Z")
    return error


async def code_of(response: Response) -> tuple[int, str, Any]:
    """Status, code and details."""
    error = await error_of(response)
    return response.status_code, error["code"], error.get("details")
