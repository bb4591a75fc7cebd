"""Keys that were rotated out or retired: what they signed opens nothing on any server, and is no forgery either."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.security.keymaking import retire, rotate
from tests.attacks.state import fingerprint
from tests.server.test_two_workers import Worker, signed_up, two_workers

pytestmark = pytest.mark.stores
#: Tokens of actions live for a second, and keys wait as shortly as they may.
SHORT: dict[str, Any] = {"tokens.action_s": 1, "tokens.earned_s": 1, "keys.settle_s": 2.0, "limits.enabled": False}


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """All workers go by the clock of this machine, so none need be waited for."""
    monkeypatch.setattr("scoreboard.security.rotation.CLOCK_SKEW_S", 0)


def signed(key: bytes, text: str) -> str:
    """HMAC-SHA256, in hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


async def token(worker: Worker, access: str) -> Any:
    """An action token of document A."""
    return (await worker.post("/api/actions/token", token=access))["actionToken"]


async def proven(worker: Worker, ada: dict[str, Any], keys: Path, action_id: str) -> Any:
    """One of document B."""
    timestamp = datetime.now(UTC).isoformat()
    key = bytes.fromhex(await trio.Path(keys / "game-1.key").read_text())
    proof = signed(key, f"WIN_GAME:{action_id}:{ada['userId']}:{timestamp}")
    body = {"actionId": action_id, "proof": f"WIN_GAME.{timestamp}.{proof}", "timestamp": timestamp}
    return (await worker.post("/api/v1/actions/complete", body, ada["accessToken"]))["data"]


async def present(worker: Worker, access: str, old: Any) -> str:
    """What is said to a token of document A."""
    headers = {"authorization": f"Bearer {access}"}
    answer = await worker.http.post("/api/scores/increment", json={"actionToken": old}, headers=headers)
    return f"{answer.status_code} {answer.json().get('code')} {answer.json().get('message')}"


async def spend(worker: Worker, ada: dict[str, Any], action_id: str, earned: Any) -> str:
    """The reason for which a token of document B is refused."""
    timestamp, points = datetime.now(UTC).isoformat(), earned["scoreIncrement"]
    of_client = signed(b"whatever", f"{ada['userId']}{action_id}{timestamp}{points}")
    body = {"userId": ada["userId"], "actionType": "WIN_GAME", "actionId": action_id, "scoreIncrement": points}
    headers = {"authorization": f"Bearer {ada['accessToken']}", "x-action-token": earned["actionToken"]}
    said = {**body, "timestamp": timestamp, "clientSignature": of_client}
    answer = await worker.http.post("/api/v1/scores/update", json=said, headers=headers)
    return str(answer.json()["error"]["details"]["reason"])


async def signs_anew(worker: Worker, access: str, old: Any) -> None:
    """Wait until it signs with another key than that of the old token."""
    while (await token(worker, access))["nonce"].partition("-")[0] == old["nonce"].partition("-")[0]:  # noqa: ASYNC110
        await trio.sleep(0.05)  # nobody tells


async def test_a_token_under_a_rotated_out_key_counts_nowhere(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """It is told apart from one that has expired, on both servers; its owner plays on, unharmed."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url, **SHORT) as both:
        ada, keys, action = await signed_up(both[0], "Ada"), tmp_path / "data" / "keys", str(uuid.uuid4())
        access = ada["accessToken"]
        old, earned = await token(both[0], access), await proven(both[0], ada, keys, action)
        await trio.to_thread.run_sync(rotate, keys, "action")
        with trio.fail_after(60):
            for worker in both:
                await signs_anew(worker, access, old)
                while "rotated out" not in (said := await present(worker, access, old)):
                    assert said == "400 TOKEN_EXPIRED Action token has expired"
                assert said.startswith("400 TOKEN_EXPIRED ")
        before = fingerprint(postgres_url)
        for worker in both:
            assert "rotated out" in await present(worker, access, old)
            assert "rotated_out" == await spend(worker, ada, action, earned)
            assert "TOKEN_INVALID" in await present(worker, access, {**old, "nonce": "ab" * 16})
        assert before == fingerprint(postgres_url)
        assert (await present(both[1], access, await token(both[1], access))).startswith("200 ")


async def test_an_access_token_under_a_retired_key_opens_nothing(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Though it was verified a moment before, and had a day left; who signs in anew goes on."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url, **SHORT) as both:
        keys, ada = tmp_path / "data" / "keys", await signed_up(both[0], "Ada")
        assert ["", ""] == [await worker.code(ada["accessToken"]) for worker in both]
        await trio.to_thread.run_sync(rotate, keys, "jwt")
        await trio.to_thread.run_sync(retire, keys, "jwt-1")
        assert {"UNAUTHORIZED"} == {await worker.refuses(ada["accessToken"]) for worker in both}
        renewed = await both[1].post("/api/auth/refresh", {"refreshToken": ada["refreshToken"]})
        assert ["", ""] == [await worker.code(renewed["accessToken"]) for worker in both]
