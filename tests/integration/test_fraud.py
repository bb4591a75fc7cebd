"""What the real server does with players who cheat, with its own limits on and everything as it comes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import TOP, Player, ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server that limits."""
    with served(tmp_path_factory.mktemp("fraud") / "data", limits="on") as server:
        yield server


def trail(server: ServedScoreboard, player: Player) -> str:
    """What the audit says of a player."""
    words = ["audit", "show", "--data", str(server.data), "--user", player.user_id]
    told = subprocess.run(
        [sys.executable, "-m", "scoreboard", *words], cwd=TOP, capture_output=True, text=True, check=True, timeout=60
    )
    return told.stdout


def detections(server: ServedScoreboard, rule: str) -> str:
    """The lines of the metrics about a rule."""
    lines = httpx.get(f"{server.url}/metrics", trust_env=False).text.splitlines()
    return "\n".join(line for line in lines if line.startswith(f'fraud_detections_total{{rule_name="{rule}"'))


def refused(token: dict[str, Any], player: Player) -> str:
    """The code with which a token is refused."""
    answer = player.increment(token)
    assert answer.is_client_error, answer.text
    return str(answer.json()["error"])


def test_a_token_with_a_wrong_signature_bans(strict: ServedScoreboard) -> None:
    """Its player is off the board and signed out; one with an expired token, or none, is not."""
    cheat, honest = Player(strict, "Forger"), Player(strict, "Honest")
    for player in (cheat, honest):
        player.score(1)
    token = cheat.token()
    refused({**token, "signature": "0" * 64}, cheat)
    old = honest.token()
    refused({**old, "timestamp": old["timestamp"] - 120_000}, honest)
    wait_for(lambda: cheat.http.post("/api/actions/token").status_code in (401, 403))
    wait_for(lambda: [(1, "Honest", 1)] == strict.top())
    told = trail(strict, cheat)
    assert "rule:forged" in told
    assert "signed by somebody else" in told
    assert 'severity="critical"} 1.0' in detections(strict, "forged")
    honest.score(1)
    assert "STANDING_CHANGED" not in trail(strict, honest)


def test_nine_actions_in_ten_seconds_flag(strict: ServedScoreboard) -> None:
    """Though five of them count, and no answer is different for it."""
    hasty = Player(strict, "Hasty")
    tokens = [hasty.token() for _ in range(9)]
    assert [200] * 5 + [429] * 4 == [hasty.increment(token).status_code for token in tokens]
    wait_for(lambda: "rule:rapid" in trail(strict, hasty))
    assert 'severity="high"} 1.0' in detections(strict, "rapid")
    assert 5 == hasty.points()
    assert 200 == hasty.http.post("/api/actions/token").status_code


def test_a_server_that_has_lost_its_keys_bans_nobody(tmp_path: Path) -> None:
    """Though everybody comes with tokens that nobody here has signed, as it must seem now."""
    with served(tmp_path / "data", limits="on") as server:
        honest = Player(server, "Honest")
        token = honest.token()
        server.stop()
        for file in (tmp_path / "data" / "keys").glob("action*"):
            file.unlink()
        server.start()
        assert "TOKEN_INVALID" == honest.increment(token).json()["code"]
        wait_for(lambda: 'severity="medium"} 1.0' in detections(server, "unknown_key"))
        honest.score(1)
        assert "STANDING_CHANGED" not in trail(server, honest)
