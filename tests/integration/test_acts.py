"""What operators do while a server runs stands in its audit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scoreboard.security.keyfolder import load_keys
from tests.served import TOP, served, wait_for

pytestmark = pytest.mark.stores


def scoreboard(data: Path, *words: str) -> str:
    """What a verb prints."""
    command = [sys.executable, "-m", "scoreboard", *words, "--data", str(data)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_server_takes_what_was_done_into_its_audit(tmp_path: Path) -> None:
    """While it runs, and from before it ran; the seals hold."""
    data = tmp_path / "data"
    waiting = data / "acts"
    load_keys(data)
    scoreboard(data, "key", "rotate", "jwt", "--why", "before")
    assert 1 == len(list(waiting.iterdir()))
    with served(data):
        wait_for(lambda: not list(waiting.iterdir()))
        scoreboard(data, "service", "add", "arena", "--why", "while")
        wait_for(lambda: not list(waiting.iterdir()))
        lines = [json.loads(line) for line in scoreboard(data, "audit", "show", "--json").splitlines()]
        assert [("KEY_ROTATED", "before"), ("SERVICE_TOKEN_MADE", "while")] == [
            (line["what"], line["why"]) for line in lines if line["kind"] == "act"
        ]
        assert "everything is as it was written" in scoreboard(data, "audit", "verify")
