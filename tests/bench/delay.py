"""How long after its acknowledgement a score is on the board of another worker."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.accounts import Account
from tests.bench.measures.cycles import Inexact
from tests.workers import WithWorkers, connection_to

WITHIN_S = 10.0
#: Between two looks at the other board. Looking all the time would take the processor that the other worker needs.
LOOK_EVERY_S = 0.001


class Delays:
    """One player who scores at worker 1, and somebody who looks at the board of worker 2.

    Args:
        server: Two workers.
        player: Who scores.
    """

    def __init__(self, server: WithWorkers, player: Account) -> None:
        self._path = f"/api/scores/user/{player.user_id}"
        self._headers = {"Authorization": f"Bearer {player.token}", "Content-Type": "application/json"}
        self._here, self._there = (_line(server, number) for number in (1, 2))

    def close(self) -> None:
        """Hang up."""
        self._here.close()
        self._there.close()

    def take(self, count: int, apart_s: float) -> Sequence[float]:
        """So many, in milliseconds, each so many seconds behind the one before, that none waits for another."""
        taken = []
        for _ in range(count):
            taken.append(self._one())
            time.sleep(apart_s)
        return taken

    def _one(self) -> float:
        token = _asked(self._here, "POST", "/api/actions/token", None, self._headers)["actionToken"]
        body = json.dumps({"actionToken": token})
        score = _asked(self._here, "POST", "/api/scores/increment", body, self._headers)["newScore"]
        acknowledged = time.monotonic()
        while _asked(self._there, "GET", self._path)["score"] < score:
            if time.monotonic() > acknowledged + WITHIN_S:
                raise Inexact(f"after {WITHIN_S:g} s the other worker does not show what was acknowledged")
            time.sleep(LOOK_EVERY_S)
        return (time.monotonic() - acknowledged) * 1e3


def _line(server: WithWorkers, number: int) -> http.client.HTTPConnection:
    line = http.client.HTTPConnection("127.0.0.1", server.port)
    line.auto_open = 0
    line.sock = connection_to(server, number)
    return line


def _asked(
    line: http.client.HTTPConnection, method: str, path: str, body: str | None = None, headers: Any = None
) -> Any:
    line.request(method, path, body, headers or {})
    answer = line.getresponse()
    told = answer.read()
    if answer.status >= 300:
        raise Inexact(f"{method} {path}: {answer.status} {told[:300]!r}")
    return json.loads(told)
