"""One player of a load generator in document B's flow: an action is proven, its token is spent with a signature."""

from __future__ import annotations

import hmac
import json
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from tests.bench.kept import KeptConnection, Wrong
from tests.bench.wire import request

COMPLETE_PATH, UPDATE_PATH = "/api/v1/actions/complete", "/api/v1/scores/update"
ACTION, POINTS = "COMPLETE_QUEST", 50


class ProvenPlayer:
    """One request at a time, and what came of it; durations are nanoseconds of the monotonic clock.

    Every answer must be 200, and every new score by the points of the action more than the last.

    Args:
        port: Of the server.
        account: `user_id`, `token`, `secret` (of the client's signature) and the `score` so far.
        game_key: With which the game's server proves what was done.
    """

    def __init__(self, port: int, account: dict[str, Any], game_key: bytes) -> None:
        self.user_id: str = account["user_id"]
        self.score: int = account["score"]
        self.cycles = 0
        self.playing = 0
        self.complete_ns: list[int] = []
        self.update_ns: list[int] = []
        self._connection = KeptConnection(port)
        self.socket = self._connection.socket
        self._token: str = account["token"]
        self._secret: bytes = account["secret"].encode()
        self._game_key = game_key
        self._action = ""
        self._spending = False
        self._sent_ns = 0

    def begin(self) -> None:
        """Prove an action."""
        self.playing, self._spending, self._action = 1, False, str(uuid4())
        now = _now()
        proven = f"{ACTION}:{self._action}:{self.user_id}:{now}".encode()
        proof = {"signature": hmac.new(self._game_key, proven, sha256).hexdigest()}
        self._send(
            COMPLETE_PATH, {"actionId": self._action, "actionType": ACTION, "timestamp": now, "proof": proof}, ""
        )

    def step(self, *, go_on: bool) -> int:
        """Read what has come; 1 when the cycle has ended, and the next begins if `go_on`.

        Raises Wrong, and OSError when nothing comes.
        """
        body = self._connection.read()
        if body is None:
            return 0
        took_ns, told = time.monotonic_ns() - self._sent_ns, json.loads(body)["data"]
        if not self._spending:
            self.complete_ns.append(took_ns)
            self._spend(told["actionToken"])
            return 0
        self.update_ns.append(took_ns)
        if told["newScore"] != self.score + POINTS:
            raise Wrong(f"a score of {told['newScore']} after {self.score}")
        self.score += POINTS
        self.cycles += 1
        self.playing = 0
        if go_on:
            self.begin()
        return 1

    def _spend(self, action_token: str) -> None:
        self._spending, now = True, _now()
        signed = f"{self.user_id}{self._action}{now}{POINTS}".encode()
        told = {
            "userId": self.user_id,
            "actionType": ACTION,
            "actionId": self._action,
            "scoreIncrement": POINTS,
            "timestamp": now,
            "clientSignature": hmac.new(self._secret, signed, sha256).hexdigest(),
        }
        self._send(UPDATE_PATH, told, f"X-Action-Token: {action_token}\r\n")

    def _send(self, path: str, body: dict[str, Any], headers: str) -> None:
        data = request("POST", path, self._token, json.dumps(body).encode(), headers)
        self._sent_ns = time.monotonic_ns()
        self.socket.sendall(data)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
