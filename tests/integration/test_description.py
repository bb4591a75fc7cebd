"""The described API against a real server: what a stranger's tool makes of the description alone.

Schemathesis sends what fits the description and what does not, the same each time, and looks at every answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scoreboard.api.openapi import EXAMPLE_ID
from tests.served import TOP, Player, ServedScoreboard, served

pytestmark = pytest.mark.stores

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,allow_header_conformance,unsupported_method"
)
#: What must not be asked in between: it ends the session that the others use.
LOGOUTS = "/auth/logout$"
CASES = "12"
WITHIN_S = 120.0  # a hundred times what it takes


@dataclass
class Described:
    """A server with somebody on its board, and its description with that player where the example was."""

    server: ServedScoreboard
    player: Player
    file: Path

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Have everything tried that these words select."""
        fixed = ("--generation-deterministic", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off")
        whole = ("-n", CASES, "--phases", "examples,coverage,fuzzing", "-c", CHECKS, "--continue-on-failure")
        where = (str(self.file), "--url", self.server.url, "--no-color")
        return subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", *where, *fixed, *whole, *words],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
            cwd=self.file.parent,
        )


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """One server for all."""
    folder = tmp_path_factory.mktemp("described")
    with served(folder / "data", limits="off") as server:
        player = Player(server, "Ada")
        player.score(3)
        text = httpx.get(f"{server.url}/api/openapi.json", trust_env=False).text
        file = folder / "openapi.json"
        file.write_text(json.dumps(json.loads(text.replace(EXAMPLE_ID, player.user_id))))
        yield Described(server, player, file)
        player.leave()


def test_all_that_a_player_may_do_is_answered_as_described(described: Described) -> None:
    """No 500, no answer outside its schema, no status code that is not described, whatever is sent."""
    token = f"Authorization: Bearer {described.player.access_token}"
    found = described.tried("-H", token, "--exclude-path-regex", LOGOUTS)
    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]
    assert 3 <= described.player.points()  # whose token held to the end


def test_who_has_not_signed_in_is_answered_as_described(described: Described) -> None:
    """The same without a token."""
    found = described.tried("--phases", "examples,coverage")
    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]


def test_what_services_send_is_answered_as_described(described: Described) -> None:
    """Batches, with the token of a service."""
    words = [sys.executable, "-m", "scoreboard", "service", "add", "arena", "--data", str(described.server.data)]
    made = subprocess.run(words, cwd=TOP, check=True, capture_output=True, text=True, timeout=30)
    token = f"Authorization: Bearer {made.stdout.strip()}"
    found = described.tried("-H", token, "--include-path", "/api/v1/scores/batch")
    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]
