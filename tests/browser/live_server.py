"""The real server in a process of its own, and players who score through its public API."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

TOP = Path(__file__).resolve().parents[2]
START_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0
CHEAP_PASSWORDS = {"SCOREBOARD_PASSWORDS_ROUNDS": "4"}


class LiveServer:
    """A server on a port and a data directory that stay the same over restarts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self._port}"
        self.log = data.parent / "server.log"

    def start(self) -> None:
        """Returns when it is ready; raises with the end of its log when it is not in time."""
        command = [sys.executable, "-m", "scoreboard", "serve", "--port", str(self._port), "--data", str(self._data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--limits", "off"], cwd=TOP, env=os.environ | CHEAP_PASSWORDS, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server is not ready; the end of its log:\n{self.log.read_text()[-2_000:]}")
            time.sleep(0.1)

    def stop(self) -> int:
        """The status with which it ended after SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def top(self) -> list[tuple[str, str, str]]:
        """Rank, name and score of the ten best, as text, from the API."""
        rows = httpx.get(f"{self.origin}/api/scores/top").raise_for_status().json()["leaderboard"]
        return [(str(row["rank"]), row["username"], str(row["score"])) for row in rows]

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/ready", timeout=2.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


class LivePlayer:
    """One registered player."""

    def __init__(self, server: LiveServer, name: str) -> None:
        self._http = httpx.Client(base_url=server.origin, timeout=30.0)
        account = {"username": name, "email": f"{name.lower()}@example.com", "password": f"{name}-Passw0rd!"}
        token = self._post("/api/auth/register", account)["accessToken"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def score(self, points: int) -> None:
        """So many points, one token and one increment each."""
        for _ in range(points):
            self._post("/api/scores/increment", {"actionToken": self._post("/api/actions/token")["actionToken"]})

    def leave(self) -> None:
        self._http.close()

    def _post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()
