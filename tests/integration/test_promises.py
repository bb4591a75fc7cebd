"""What the README promises, on the real server with the real stores, through public doors only."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.served import Player, ServedScoreboard, served

pytestmark = pytest.mark.stores


def test_one_token_presented_a_hundred_times_at_once_counts_once(server: ServedScoreboard) -> None:
    """One 200, ninety-nine refusals that say why, one point."""
    player = Player(server, "Hasty")
    token = player.token()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: player.increment(token), range(100)))
    codes = sorted(answer.json().get("code", "counted") for answer in answers)

    assert ["TOKEN_ALREADY_USED"] * 99 + ["counted"] == codes
    assert 1 == player.points()
    player.leave()


def test_a_retry_with_the_same_key_gets_the_first_answer_also_after_a_kill(tmp_path: Path) -> None:
    """The second answer equals the first to the letter although others have scored in between; one point counts."""
    with served(tmp_path / "data") as server:
        player, rival = Player(server, "Retry"), Player(server, "Rival")
        token = player.token()
        first = player.increment(token, "the-key")
        rival.score(3)
        again = player.increment(token, "the-key")
        server.kill()
        server.start()
        after_restart = player.increment(token, "the-key")
        other_body = player.increment(player.token(), "the-key")

        assert 200 == first.status_code
        assert first.json() == again.json() == after_restart.json()
        assert (422, "IDEMPOTENCY_KEY_REUSED") == (other_body.status_code, other_body.json()["code"])
        assert 1 == player.points()
        player.leave()
        rival.leave()


def test_a_board_is_the_same_after_a_kill(tmp_path: Path) -> None:
    """Ranks, ties included, come back as they were: they follow from what is on disk alone."""
    with served(tmp_path / "data") as server:
        players = [Player(server, f"Player{n}") for n in range(6)]
        for player, points in zip(players, (2, 1, 2, 0, 3, 1), strict=True):
            player.score(points)
        before = server.top()
        server.kill()
        server.start()

        assert before == server.top()
        assert [3, 2, 2, 1, 1, 0] == [score for _, _, score in before]
        for player in players:
            player.leave()


def test_sigterm_ends_it_within_ten_seconds_whoever_hangs_on(tmp_path: Path) -> None:
    """Status 0, although one client never reads, one is in the middle of its head and one of its body."""
    with served(tmp_path / "data") as server:
        hangers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        hangers[0].sendall(b"GET /api/scores/top HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        hangers[1].sendall(b"GET / HT")
        hangers[2].sendall(
            b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        hangers[3].sendall(HANDSHAKE)
        assert hangers[3].recv(12) == b"HTTP/1.1 101"
        status = server.stop()  # waits no longer
        for hanger in hangers:
            hanger.close()

    assert 0 == status


HANDSHAKE = (
    b"GET /ws/leaderboard HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def test_limits_hold_unless_they_are_switched_off(tmp_path: Path) -> None:
    """Ten tokens a minute, then 429 that says when to come back."""
    with served(tmp_path / "data", limits="on") as server:
        player = Player(server, "Eager")
        answers = [player.http.post("/api/actions/token") for _ in range(11)]
        player.leave()

    assert [200] * 10 + [429] == [answer.status_code for answer in answers]
    refused = answers[-1]
    assert "Rate limit exceeded" == refused.json()["error"]
    assert 0 < refused.json()["retryAfter"] <= 60
    assert str(refused.json()["retryAfter"]) == refused.headers["Retry-After"]


def test_a_second_server_on_the_same_data_is_refused_with_a_sentence(server: ServedScoreboard) -> None:
    """It ends with status 1 and names the directory; the first goes on."""
    second = ServedScoreboard(server.data)
    with pytest.raises(AssertionError, match=str(server.data)):
        second.start()
    assert second.process is not None
    assert 1 == second.process.wait(15)
    assert httpx.get(f"{server.url}/health", trust_env=False).is_success


def test_a_taken_port_is_refused_with_a_sentence(server: ServedScoreboard, tmp_path: Path) -> None:
    """The sentence names the port, and nothing was begun."""
    second = ServedScoreboard(tmp_path / "data", "--port", str(server.port))
    second.url = "http://127.0.0.1:9"
    with pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1, port {server.port}"):
        second.start()
    assert not second.data.exists()


def test_the_metrics_name_no_player(server: ServedScoreboard) -> None:
    """Document A's four metrics are there; no label holds a user's id or name."""
    player = Player(server, "Counted")
    player.score(2)
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    player.leave()

    names = {"http_request_duration_seconds", "score_increments_total", "websocket_connections_active"}
    names.add("fraud_detections_total")
    assert set() == {name for name in names if f"\n# TYPE {name}" not in text}
    assert player.user_id not in text
    assert "Counted" not in text


def test_sigterm_ends_it_in_good_order_although_postgres_is_frozen(tmp_path: Path) -> None:
    """Status 0 within the bound of `stop`, no process left behind, and nothing lost."""
    with served(tmp_path / "data") as server:
        player = Player(server, "Frozen")
        player.score(2)
        children = server.children()
        for child in children:
            if child.name() == "postgres":
                child.suspend()
        assert 0 == server.stop()
        assert [] == psutil.wait_procs(children, timeout=5)[1]
        server.start()
        assert 2 == player.points()
        player.leave()
