"""The real server behind a certificate: everything that it serves goes through TLS, and nothing past it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.certificates import trusting, write_certificate
from tests.integration.socket_game import SocketGame
from tests.integration.test_live_feed import streamed
from tests.served import Player, ServedScoreboard, served, start_scoreboard, wait_for

pytestmark = pytest.mark.stores


def settings_of(folder: Path) -> dict[str, str]:
    """With a fresh certificate."""
    certificate, private_key = write_certificate(folder)
    return {"SCOREBOARD_DOOR_CERTIFICATE": str(certificate), "SCOREBOARD_DOOR_PRIVATE_KEY": str(private_key)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One server for all tests of this file."""
    folder = tmp_path_factory.mktemp("tls")
    environ = {**settings_of(folder), "SCOREBOARD_BOARD_TICK_S": "0.05"}
    with served(folder / "data", environ=environ, secure=trusting()) as running:
        yield running


def test_players_score_and_spectators_watch_through_tls(server: ServedScoreboard) -> None:
    """Over REST, on the live socket, and in a stream of events."""
    player = Player(server, "Tessa")
    player.score(2)
    game = SocketGame(server, player.access_token)
    assert 3 == game.increment(game.token())["data"]["newScore"]
    with httpx.Client(base_url=server.url, trust_env=False, verify=server.verify) as spectator:
        with streamed(spectator, channel="leaderboard.top10") as events:
            assert [("Tessa", 3)] == [(row["username"], row["score"]) for row in next(events)[2]["leaderboard"]]
    assert [(1, "Tessa", 3)] == server.top()


def test_who_stops_reading_is_shown_the_true_board_later(server: ServedScoreboard) -> None:
    """A slow reader within TLS is degraded as one in the clear: nothing is lost of the order, and it ends up right."""
    player = Player(server, "Slow")
    watcher = SocketGame(server, None)
    watcher.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    watcher.say("subscribe", channel="leaderboard.top100")
    points = 150
    player.score(points)
    shown: dict[str, int] = {}
    version = -1

    def is_right() -> bool:
        nonlocal version
        said = watcher.message()
        data = said.get("data", {})
        if said["event"] == "leaderboard.update":
            shown.clear()
            shown.update((row["username"], row["score"]) for row in data["leaderboard"])
            version = data["version"]
        if said["event"] == "leaderboard.diff":
            assert version == data["from"]
            shown.update((row["username"], row["score"]) for row in data["changes"])
            version = data["to"]
        return shown.get("Slow") == points

    wait_for(is_right, 30)


def test_browsers_are_told_to_ask_through_tls_only(server: ServedScoreboard) -> None:
    """On the page, on answers and on errors."""
    for path in ("/", "/api/scores/top", "/api/nothing", "/socket.io/?EIO=4&transport=polling"):
        answer = httpx.get(server.url + path, trust_env=False, verify=server.verify)
        assert "max-age=31536000; includeSubDomains" == answer.headers["strict-transport-security"], path


def test_who_asks_in_the_clear_is_told_where_it_is(server: ServedScoreboard) -> None:
    """In the shape of an error of the API."""
    answer = httpx.get(f"http://127.0.0.1:{server.port}/api/scores/top", trust_env=False)
    assert (400, True) == (answer.status_code, "https://" in answer.json()["message"])


def test_a_server_does_not_start_with_a_key_of_somebody_else(tmp_path: Path) -> None:
    """It says so in a sentence, before anything else is begun."""
    (tmp_path / "other").mkdir()
    environ = {**settings_of(tmp_path), "SCOREBOARD_DOOR_PRIVATE_KEY": str(write_certificate(tmp_path / "other")[1])}
    log = tmp_path / "log"
    with log.open("wb") as output:
        words = ["serve", "--port", "0", "--data", str(tmp_path / "data")]
        process: subprocess.Popen[bytes] = start_scoreboard(words, output.fileno(), environ)
        assert 1 == process.wait(60)
    said = log.read_text()
    assert "no certificate with its key" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data" / "postgres").exists()
