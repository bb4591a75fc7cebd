"""Document B's way of a score on the real server, as a player, a game's server and an operator see it."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.served import TOP, ServedScoreboard

pytestmark = pytest.mark.stores


def signature(key: bytes, text: str) -> str:
    """HMAC-SHA256, in hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def now() -> str:
    """The time as a client writes it."""
    return datetime.now(UTC).isoformat()


class Gamer:
    """A player with a client written for document B."""

    def __init__(self, server: ServedScoreboard, name: str) -> None:
        self.server = server
        body = {"username": name, "email": f"{name}@example.org", "password": "a long enough secret"}
        keyed = {"Idempotency-Key": name}
        first, data = (self.ask("POST", "/auth/register", body, headers=keyed)["data"] for _ in "12")
        assert first["userId"] == data["userId"]
        self.user_id, self.secret = data["userId"], data["clientSecret"].encode()
        self.headers = {"Authorization": f"Bearer {data['accessToken']}"}

    def ask(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        """One request; its answer's JSON."""
        given = {**getattr(self, "headers", {}), **(headers or {})}
        url = f"{self.server.url}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=given, timeout=30, trust_env=False).json()

    def complete(self, action_type: str, action_id: str) -> Any:
        """Have the game's server prove it, and pass that on."""
        key = bytes.fromhex((self.server.data / "keys" / "game-1.key").read_text())
        timestamp = now()
        proof = signature(key, f"{action_type}:{action_id}:{self.user_id}:{timestamp}")
        body = {"actionId": action_id, "proof": f"{action_type}.{timestamp}.{proof}", "timestamp": now()}
        return self.ask("POST", "/actions/complete", body)

    def update(self, action_type: str, action_id: str, earned: dict[str, Any]) -> Any:
        """Spend the token."""
        timestamp, points = now(), earned["scoreIncrement"]
        body = {
            "userId": self.user_id,
            "actionType": action_type,
            "actionId": action_id,
            "scoreIncrement": points,
            "timestamp": timestamp,
            "clientSignature": signature(self.secret, f"{self.user_id}{action_id}{timestamp}{points}"),
        }
        return self.ask("POST", "/scores/update", body, headers={"X-Action-Token": earned["actionToken"]})


def test_a_quest_is_proven_scored_and_shown_on_every_board(server: ServedScoreboard) -> None:
    """From the proof to the boards of the day and of the country, and once only."""
    gamer, quest = Gamer(server, "Questor"), str(uuid.uuid4())
    assert "US" == gamer.ask("PATCH", "/users/me", {"country": "US"})["data"]["country"]
    gamer.ask("GET", "/leaderboard/top?period=DAILY")
    earned = gamer.complete("COMPLETE_QUEST", quest)["data"]
    updated = gamer.update("COMPLETE_QUEST", quest, earned)
    assert (True, 50, 50) == (updated["success"], updated["data"]["newScore"], updated["data"]["scoreIncrement"])
    for query in ("", "?period=DAILY", "?period=WEEKLY&country=US", "?country=US"):
        data = gamer.ask("GET", f"/leaderboard/top{query}")["data"]
        assert (1, 50) == (data["currentUser"]["rank"], data["currentUser"]["score"]), query
        assert "US" == data["leaderboard"][0]["country"]
    again = gamer.update("COMPLETE_QUEST", quest, earned)
    assert ("INVALID_ACTION_TOKEN", {"reason": "used"}) == (again["error"]["code"], again["error"]["details"])
    assert "ACTION_ALREADY_COMPLETED" == gamer.complete("COMPLETE_QUEST", quest)["error"]["code"]
    assert 50 == gamer.ask("GET", "/users/me")["data"]["score"]
    assert {"periods": [], "period": "DAILY"} == gamer.ask("GET", "/leaderboard/archive")["data"]


def operator(server: ServedScoreboard, *words: str) -> str:
    """`scoreboard action` with these words, beside the running server."""
    command = [sys.executable, "-m", "scoreboard", "action", *words, "--data", str(server.data)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=60).stdout


def test_an_operator_says_what_counts_beside_the_running_server(server: ServedScoreboard) -> None:
    """A new action, another worth, and the end of it."""
    operator(server, "add", "SLAY_DRAGON", "--points", "70")
    operator(server, "add", "SLAY_DRAGON", "--points", "75", "--description", "A dragon that was slain")
    assert "SLAY_DRAGON  75  hmac:game  A dragon that was slain\n" in operator(server, "list")
    operator(server, "retire", "SLAY_DRAGON")
    assert "SLAY_DRAGON" not in operator(server, "list")
