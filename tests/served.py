"""The real server in a process of its own, as an operator runs it, and players of its public API."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.ready_cluster import lay_cluster

TOP = Path(__file__).resolve().parents[1]
START_WITHIN_S = 90.0
STOP_WITHIN_S = 10.0  # as the README promises; the server itself gives up before
CHEAP_PASSWORDS = {"SCOREBOARD_PASSWORDS_ROUNDS": "4"}


class ServedScoreboard:
    """A server on a port and a data directory that stay the same over restarts.

    What its `guests` opened is closed at the end even if a test fails before it does so itself: otherwise the warning
    of an unclosed socket would fail some later test, too.

    Args:
        data: Its data directory; the log is beside it.
        arguments: More words for the command line.
        environ: More settings.
        secure: Whom to trust, if it speaks TLS.
        code: The directory with the program, if it is not this one.
    """

    def __init__(
        self,
        data: Path,
        *arguments: str,
        limits: str = "off",
        environ: Mapping[str, str] | None = None,
        secure: ssl.SSLContext | None = None,
        code: Path = TOP,
    ) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.guests = ExitStack()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}" if secure is None else f"https://localhost:{self.port}"
        self.verify: ssl.SSLContext | bool = secure or True
        self._words = ["serve", "--port", str(self.port), "--data", str(data), "--limits", limits, *arguments]
        self._environ = {**CHEAP_PASSWORDS, **(environ or {})}
        self._code = code

    def start(self) -> None:
        """Returns when it is ready; fails with the end of its log when it is not in time."""
        with self.log.open("ab") as log:
            self.process = start_scoreboard(self._words, log.fileno(), self._environ, self._code)
        wait_for(self.ready, START_WITHIN_S, self.why_not)

    def ready(self) -> bool:
        """Whether it says that it can serve."""
        assert self.process is not None
        assert self.process.poll() is None, self.why_not()
        try:
            return httpx.get(f"{self.url}/ready", timeout=5.0, trust_env=False, verify=self.verify).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it without a word, as a lost machine does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it as an operator does; the status with which it ended."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def why_not(self) -> str:
        """Something did not become true: what the server has said last."""
        return f"the end of the server's log:\n{self.log.read_text()[-3_000:]}"

    def children(self) -> list[psutil.Process]:
        """The processes that it has started, theirs included."""
        assert self.process is not None
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def top(self) -> list[tuple[int, str, int]]:
        """Rank, name and score of the ten best, from the API."""
        answer = httpx.get(f"{self.url}/api/scores/top", trust_env=False, verify=self.verify).raise_for_status().json()
        return [(row["rank"], row["username"], row["score"]) for row in answer["leaderboard"]]


class Player:
    """One registered player, as a game sees it: every answer is checked unless the caller wants to see it."""

    def __init__(self, server: ServedScoreboard, name: str) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=30.0, trust_env=False, verify=server.verify)
        server.guests.callback(self.leave)
        self.name, self.password = name, f"{name}-Passw0rd!"
        account = {"username": name, "email": f"{name.lower()}@example.com", "password": self.password}
        answer = self.http.post("/api/auth/register", json=account).raise_for_status().json()
        self.user_id: str = answer["userId"]
        self._is_signed_in(answer)

    def sign_in(self) -> None:
        """In a new session, in the place of the one before."""
        body = {"username": self.name, "password": self.password}
        self._is_signed_in(self.http.post("/api/auth/login", json=body).raise_for_status().json())

    def _is_signed_in(self, answer: Mapping[str, Any]) -> None:
        self.access_token: str = answer["accessToken"]
        self.http.headers["Authorization"] = f"Bearer {self.access_token}"

    def token(self) -> dict[str, Any]:
        """A fresh action token."""
        answer: dict[str, Any] = self.http.post("/api/actions/token").raise_for_status().json()["actionToken"]
        return answer

    def increment(self, token: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Present a token; the answer as it comes."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.http.post("/api/scores/increment", json={"actionToken": token}, headers=headers)

    def score(self, points: int) -> None:
        """So many points, one token and one increment each."""
        for _ in range(points):
            self.increment(self.token()).raise_for_status()

    def points(self) -> int:
        """What the server says that this player has."""
        score: int = self.http.get(f"/api/scores/user/{self.user_id}").raise_for_status().json()["score"]
        return score

    def moved_to(self, server: ServedScoreboard) -> Player:
        """This player, with the same session, at another server."""
        there = copy(self)
        there.http = httpx.Client(base_url=server.url, timeout=30.0, trust_env=False, verify=server.verify)
        there.http.headers["Authorization"] = f"Bearer {self.access_token}"
        server.guests.callback(there.leave)
        return there

    def leave(self) -> None:
        """Close all connections."""
        self.http.close()


@contextmanager
def served(
    data: Path,
    *arguments: str,
    limits: str = "off",
    environ: Mapping[str, str] | None = None,
    secure: ssl.SSLContext | None = None,
    code: Path = TOP,
) -> Iterator[ServedScoreboard]:
    """A real server for the time of a block. Its own Postgres begins as a copy of what the first start makes."""
    if "--postgres" not in arguments:
        lay_cluster(data)
    server = ServedScoreboard(data, *arguments, limits=limits, environ=environ, secure=secure, code=code)
    with server.guests:
        try:
            server.start()
            yield server
        finally:
            server.stop()


def start_scoreboard(
    words: list[str], output: int, environ: Mapping[str, str] | None = None, code: Path = TOP
) -> subprocess.Popen[bytes]:
    """``scoreboard`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "scoreboard", *words],
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code), "PYTHONUNBUFFERED": "1", **(environ or {})},
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def wait_for(fact: Callable[[], bool], within_s: float = 120.0, why_not: Callable[[], str] = lambda: "") -> None:
    """Wait until something is true, within reason."""
    give_up = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < give_up, f"it did not become true; {why_not()}"
        time.sleep(0.02)
