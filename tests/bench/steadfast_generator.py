"""A load generator: players who score whatever happens to the server, and count what was acknowledged.

python -m tests.bench.steadfast_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.generator import Command, obey
from tests.bench.kept import Wrong
from tests.bench.player import INCREMENT_PATH, TOKEN_PATH

PAUSE_S = 0.1
PATIENCE_S = 60.0


class SteadfastPlayer:
    """One player. What is not answered, or with 503, is sent again with the same token and the same key."""

    def __init__(self, port: int, account: dict[str, Any]) -> None:
        self.user_id: str = account["user_id"]
        self.score: int = account["score"]
        self.repeated = 0
        self._headers = {"Authorization": f"Bearer {account['token']}", "Content-Type": "application/json"}
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)

    def play(self, until: float) -> SteadfastPlayer:
        """Cycles until that moment (`time.monotonic`); every new score is one more than the last."""
        while time.monotonic() < until:
            token = self._ask(TOKEN_PATH, None, {})["actionToken"]
            key = {"Idempotency-Key": f"{self.user_id}-{self.score}"}
            score = self._ask(INCREMENT_PATH, {"actionToken": token}, key)["newScore"]
            if score != self.score + 1:
                raise Wrong(f"a score of {score} after {self.score}")
            self.score = score
        self._connection.close()
        return self

    def _ask(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                wish = None if body is None else json.dumps(body)
                self._connection.request("POST", path, wish, {**self._headers, **headers})
                answer = self._connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    return json.loads(content)
                if answer.status != 503 or time.monotonic() > give_up:
                    raise Wrong(f"{path}: {answer.status} {content[:200]!r}")
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > give_up:
                    raise Wrong(f"{path}: no answer for {PATIENCE_S:g} s") from error
                self._connection.close()
            self.repeated += 1
            time.sleep(PAUSE_S)


class Steadfast:
    """Answers `{"seconds"}`: plays so long; who has which score now, and how often something was sent again."""

    def __init__(self, config: Command) -> None:
        self._players = [SteadfastPlayer(config["port"], account) for account in config["players"]]

    def __call__(self, command: Command) -> Command:
        until = time.monotonic() + command["seconds"]
        with ThreadPoolExecutor(len(self._players)) as pool:
            played = list(pool.map(lambda player: player.play(until), self._players))
        return {
            "scores": {player.user_id: player.score for player in played},
            "repeated": sum(player.repeated for player in played),
        }


if __name__ == "__main__":
    obey(Steadfast)
