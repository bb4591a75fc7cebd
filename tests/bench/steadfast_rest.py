"""A sender who scores over REST whatever happens to the server."""

from __future__ import annotations

import http.client
import json
import random
import time
from typing import Any, NamedTuple

from tests.bench.book import Book, Told
from tests.bench.kept import Wrong

PAUSE_S = 0.1
PATIENCE_S = 60.0
#: So many answers are not waited for, and so many requests are sent again although they were answered.
LOST, AGAIN = 0.02, 0.02
TOKEN_PATH, INCREMENT_PATH = "/api/actions/token", "/api/scores/increment"


class Answered(NamedTuple):
    """The body of an answer, how often it was asked for, and whether a header says that it had been given before."""

    body: Any
    asked: int
    replayed: bool


class Asking:
    """Requests on a kept connection. What is not answered, or with 500 or more, is sent again as it is."""

    def __init__(self, port: int, token: str, agent: str, book: Book) -> None:
        self.rng = random.Random(token)
        self.book = book
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": agent}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)

    def close(self) -> None:
        """For now; the next request opens it."""
        self._connection.close()

    def ask(self, path: str, body: Any, **headers: str) -> Answered:
        """Ask until there is an answer. Raises Wrong."""
        give_up, asked = time.monotonic() + PATIENCE_S, 0
        wish = None if body is None else json.dumps(body)
        while True:
            asked += 1
            try:
                self._connection.request("POST", path, wish, {**self._headers, **headers})
                if wish is not None and self.rng.random() < LOST:
                    raise ConnectionError("nobody listens")
                answer = self._connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    return Answered(json.loads(content), asked, answer.getheader("Idempotency-Replayed") == "true")
                if answer.status < 500 or time.monotonic() > give_up:
                    raise Wrong(f"{path}: {answer.status} {content[:200]!r}")
                time.sleep(PAUSE_S)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > give_up:
                    raise Wrong(f"{path}: no answer for {PATIENCE_S:g} s") from error
                self._connection.close()
                time.sleep(PAUSE_S)
            self.book.sent_again()


class RestPlayer:
    """One player, one cycle after the other, each increment with a key."""

    def __init__(self, port: int, account: dict[str, Any], book: Book) -> None:
        self._user_id: str = account["user_id"]
        self._asking = Asking(port, account["token"], "rest", book)
        self._cycles = 0

    def play(self, until: float) -> None:
        """Until that moment (`time.monotonic`)."""
        while time.monotonic() < until:
            self._cycles += 1
            wish = {"actionToken": self._asking.ask(TOKEN_PATH, None).body["actionToken"]}
            self._spend(wish, first=True)
            if self._asking.rng.random() < AGAIN:
                self._asking.book.sent_again()
                self._spend(wish, first=False)
        self._asking.close()

    def _spend(self, wish: dict[str, Any], *, first: bool) -> None:
        key = f"rest-{self._user_id}-{self._cycles}"
        answer, asked, replayed = self._asking.ask(INCREMENT_PATH, wish, **{"Idempotency-Key": key})
        told = Told(self._user_id, answer["newScore"], answer["previousRank"], answer["newRank"])
        self._asking.book.write(key, told, repeated=replayed, first=first and asked == 1)
