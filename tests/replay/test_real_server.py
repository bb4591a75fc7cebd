from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.replay.test_football import EXTRACT, REPOSITORY

pytestmark = pytest.mark.stores

WITHIN_S = 120.0


class RealServer:
    """The server as an operator runs it, on a data directory that outlives its process."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        words = ["serve", "--port", str(self.port), "--data", str(self._data), "--limits", "off"]
        with (self._data.parent / "server.log").open("ab") as log:
            self._process = run_scoreboard(words, log.fileno())
        wait_for(self._is_ready)

    def kill(self) -> None:
        """End it without a word, as a lost machine does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(WITHIN_S)
            self._process = None

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._data.parent / "server.log").read_text()
        try:
            return httpx.get(f"{self.url}/ready", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running(data: Path) -> Iterator[RealServer]:
    """A real server for the time of a test."""
    server = RealServer(data)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def run_scoreboard(words: list[str], output: int) -> subprocess.Popen[bytes]:
    """``scoreboard`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "scoreboard", *words],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def start_replay(server: RealServer, directory: Path) -> subprocess.Popen[bytes]:
    """The Premier League 2015-16 as fast as it goes."""
    chosen = ["--season", "2015-16", "--division", "Premier League", "--speed", "max", "--url", server.url]
    words = ["replay", str(EXTRACT), *chosen, "--journal", str(directory / "journal")]
    with (directory / "replay.log").open("wb") as log:
        return run_scoreboard(words, log.fileno())


def wait_for(fact: Callable[[], bool]) -> None:
    """Wait until something is true, within reason."""
    give_up = time.monotonic() + WITHIN_S
    while not fact():
        assert time.monotonic() < give_up, "it did not become true"
        time.sleep(0.02)


def counted(directory: Path) -> int:
    """How many points the replay knows to be counted."""
    journal = directory / "journal"
    return journal.read_bytes().count(b'"entry":"counted"') if journal.exists() else 0


def test_killing_the_server_and_the_replay_loses_and_doubles_no_point(tmp_path: Path) -> None:
    """A server killed in the middle and started on the same data, then a replay killed in the middle and started again.

    At the end every team has exactly the points of the file.
    """
    with running(tmp_path / "data") as server:
        replay = start_replay(server, tmp_path)
        wait_for(lambda: counted(tmp_path) > 100)
        server.kill()
        server.start()
        wait_for(lambda: counted(tmp_path) > 400)
        replay.kill()
        replay.wait(WITHIN_S)
        code = start_replay(server, tmp_path).wait(WITHIN_S)
        output = (tmp_path / "replay.log").read_text()

    assert code == 0, output
    assert output.splitlines()[-1] == (
        "Leicester City lead with 81 points: server and file agree (20 teams, 1,033 points)"
    )
