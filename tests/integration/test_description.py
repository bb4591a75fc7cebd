"""The described API against a real server: what a stranger's tool makes of the description alone.

Schemathesis sends what fits the description and what does not, the same each time, follows its links, and looks at
every answer: what the description allows must be taken, and what it forbids refused.
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

CHECKS = "all"
#: Where the description cannot say all that is asked of a request: a request that fits it may be answered with 400.
MORE_IS_ASKED = {
    "/auth/register$": "names have more rules than a pattern, and passwords are measured in bytes",
    "/auth/password$": "passwords are measured in bytes, and those that many people take are refused",
    "^/api/scores/increment$": "the token is one that was handed out",
    "^/api/v1/actions/complete$": "the proof and the body around it are about the same action",
    "^/api/v1/scores/update$": "a whole number is written without a point, as it was signed",
    "^/api/v1/leaderboard/archive$": "a country goes with a label only",
}
#: And one that does not fit it is answered with 200: each row of a batch has its own answer.
LESS_IS_ASKED = {"^/api/v1/scores/batch$": "a row that is malformed costs no other"}
USUAL = {
    "positive_data_acceptance": ("2xx", "3xx", "401", "403", "404", "409", "422", "429"),  # 422: a key that came before
    "negative_data_rejection": ("400", "401", "403", "404", "405", "409", "415", "422", "429"),
}
#: What must not be asked in between: it ends the session that the others use.
LOGOUTS = "/auth/logout$"
CASES = "12"
WITHIN_S = 400.0  # a machine that has much else to do takes three times the 40 s that it takes alone


def exceptions() -> str:
    """The exceptions from the checks, as a file of Schemathesis'."""
    also = [(path, "positive_data_acceptance", "400") for path in MORE_IS_ASKED]
    also += [(path, "negative_data_rejection", "200") for path in LESS_IS_ASKED]
    usual = f"[checks.positive_data_acceptance]\nexpected-statuses = {json.dumps(USUAL['positive_data_acceptance'])}\n"
    return usual + "".join(
        f"[[operations]]\ninclude-path-regex = {json.dumps(path)}\n"
        f"[operations.checks.{check}]\nexpected-statuses = {json.dumps([*USUAL[check], status])}\n"
        for path, check, status in also
    )


@dataclass
class Described:
    """A server with somebody on its board, and its description with that player where the example was."""

    server: ServedScoreboard
    player: Player
    file: Path

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Have everything tried that these words select."""
        fixed = ("--generation-deterministic", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off")
        whole = ("-n", CASES, "--phases", "examples,coverage,fuzzing,stateful", "-c", CHECKS, "--continue-on-failure")
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
    # Whoever tries tokens that nobody has signed is banned; here they are only to be described.
    with served(folder / "data", limits="off", environ={"SCOREBOARD_FRAUD_ENABLED": "false"}) as server:
        player = Player(server, "Ada")
        player.score(3)
        text = httpx.get(f"{server.url}/api/openapi.json", trust_env=False).text
        (folder / "schemathesis.toml").write_text(exceptions())
        file = folder / "openapi.json"
        file.write_text(json.dumps(json.loads(text.replace(EXAMPLE_ID, player.user_id))))
        yield Described(server, player, file)
        player.leave()


def test_all_that_a_player_may_do_is_answered_as_described(described: Described) -> None:
    """No 500, no answer outside its schema, no status code that is not described, whatever is sent."""
    token = f"Authorization: Bearer {described.player.access_token}"
    found = described.tried("-H", token, "--exclude-path-regex", LOGOUTS)
    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]
    assert "Stateful" in found.stdout
    assert "not applicable" not in found.stdout  # links lead from one address to the next
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
    found = described.tried(
        "-H", token, "--include-path", "/api/v1/scores/batch", "--phases", "examples,coverage,fuzzing"
    )
    assert 0 == found.returncode, found.stdout[-6000:] + found.stderr[-2000:]
