"""Scoring on the live socket of the real server, over the real stores."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from scoreboard.live.guard import PORTION
from tests.edge.valid import WEBSOCKET, frame
from tests.integration.socket_game import SocketGame, command
from tests.served import Player, ServedScoreboard, served

pytestmark = pytest.mark.stores


def test_one_token_on_a_hundred_sockets_at_once_counts_once(server: ServedScoreboard) -> None:
    """One acknowledgement, ninety-nine refusals that say why, one point."""
    player = Player(server, "Many")
    token = player.token()
    games = [SocketGame(server, player.access_token) for _ in range(100)]
    for game in games:
        game.say("score.increment", 1, actionToken=token)
    answers = [game.message() for game in games]
    for game in games:
        game.drop()

    codes = sorted(answer["data"].get("code", "counted") for answer in answers)
    assert ["TOKEN_ALREADY_USED"] * 99 + ["counted"] == codes
    assert 1 == player.points()
    player.leave()


def test_socket_and_rest_are_two_ways_to_the_same(server: ServedScoreboard) -> None:
    """A token of the one is spent on the other, and the same key hears the first answer on both."""
    player = Player(server, "Both")
    game = SocketGame(server, player.access_token)
    token = game.token()
    first = player.increment(token, "the-key")
    again = game.increment(token, "the-key")
    other = game.increment(player.token(), "the-key")
    second = game.increment(player.token(), "another-key")
    replayed = player.increment(token, "the-key")
    game.drop()

    assert first.json() == {name: value for name, value in again["data"].items() if name != "repeated"}
    assert [True, False] == [again["data"]["repeated"], second["data"]["repeated"]]
    assert ("error", "IDEMPOTENCY_KEY_REUSED") == (other["event"], other["data"]["code"])
    assert first.json() == replayed.json()
    assert 2 == player.points()
    player.leave()


def test_sockets_that_drop_in_the_middle_lose_and_double_nothing(server: ServedScoreboard) -> None:
    """Wherever they are cut: the same key on a new socket counts once in all."""
    player = Player(server, "Dropped")
    for number in range(30):
        game = SocketGame(server, player.access_token)
        token, key = game.token(), f"key-{number}"
        frame = command("score.increment", number, actionToken=token, idempotencyKey=key)
        game.socket.sendall(frame[: len(frame) - number % 2])
        game.drop()
        again = SocketGame(server, player.access_token)
        answer = again.increment(token, key)
        assert ("ack", number + 1) == (answer["event"], answer["data"]["newScore"])
        again.drop()

    assert 30 == player.points()
    player.leave()


def test_what_was_acknowledged_survives_a_kill_and_the_rest_may_be_repeated(tmp_path: Path) -> None:
    """Killed in the middle of a hundred commands in flight; every one is said again with its key, and counts once."""
    slow = {"SCOREBOARD_TOKENS_ACTION_S": "600"}  # a machine may take a minute from the first token to the last score
    with served(tmp_path / "data", environ=slow) as server:
        player = Player(server, "Killed")
        game = SocketGame(server, player.access_token)
        tokens = [game.token() for _ in range(100)]
        for number, token in enumerate(tokens):
            game.say("score.increment", number, actionToken=token, idempotencyKey=f"key-{number}")
        acknowledged = {(answer := game.message())["id"]: answer["data"]["newScore"] for _ in range(10)}
        server.kill()
        game.drop()
        server.start()
        later = SocketGame(server, player.access_token)
        answers = [later.increment(token, f"key-{number}")["data"] for number, token in enumerate(tokens)]

        assert acknowledged == {number: answers[number]["newScore"] for number in acknowledged}
        assert all(answers[number]["repeated"] for number in acknowledged)
        assert [*range(1, 101)] == sorted(answer["newScore"] for answer in answers)
        assert 100 == player.points()
        later.drop()
        player.leave()


def test_logging_out_ends_the_right_to_score_on_an_open_socket(server: ServedScoreboard) -> None:
    """At once, without a look at a store: the socket is told and closed; another session of the player goes on."""
    player = Player(server, "Leaving")
    game = SocketGame(server, player.access_token)
    token = game.token()
    account = {"username": "Leaving", "password": "Leaving-Passw0rd!"}
    granted = httpx.post(f"{server.url}/api/auth/login", json=account, trust_env=False).raise_for_status().json()
    other = SocketGame(server, granted["accessToken"])
    player.http.post("/api/auth/logout", json={}).raise_for_status()
    told, code = game.message(), game.close_code()
    counted = other.increment(token)

    assert ("error", None, "TOKEN_REVOKED") == (told["event"], told.get("id"), told["data"]["code"])
    assert 4001 == code
    assert ("ack", 1) == (counted["event"], counted["data"]["newScore"])
    for each in (game, other):
        each.drop()
    player.leave()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A server with limits, by which an address may send hardly anything over sockets."""
    environ = {"SCOREBOARD_LIMITS_LIVE_FRAMES_PER_SECOND_PER_ADDRESS": "4"}
    with served(tmp_path_factory.mktemp("strict") / "data", limits="on", environ=environ) as running:
        yield running


def test_limits_are_the_players_own_however_connected(strict: ServedScoreboard) -> None:
    """Ten tokens a minute over a socket and REST together, then a code with the seconds to wait."""
    player = Player(strict, "Limited")
    game = SocketGame(strict, player.access_token)
    for _ in range(5):
        game.token()
        player.token()
    refused = game.ask("action.token", "more")
    game.drop()
    player.leave()

    assert ("error", "more", "RATE_LIMITED") == (refused["event"], refused["id"], refused["data"]["code"])
    assert 0 < refused["data"]["retryAfter"] <= 60


def test_all_sockets_of_an_address_share_what_it_may_send_and_others_do_not_wait_for_them(
    strict: ServedScoreboard,
) -> None:
    """Whoever would have his turn after half a minute hears when to come back instead; elsewhere a ping is answered."""
    with ExitStack() as scope:

        def pinging(address: str) -> socket.socket:
            line = socket.create_connection(("127.0.0.1", strict.port), 30.0, (address, 0))
            scope.callback(line.close)
            line.sendall(WEBSOCKET % b"/ws/leaderboard")
            assert line.recv(4096).startswith(b"HTTP/1.1 101 ")
            line.sendall(frame(9, b"") * PORTION)
            return line

        crowd, said = [pinging("127.0.0.2") for _ in range(3 * 30 * 4 // PORTION)], b""
        while struct.pack("!H", 1013) + b"Too much comes from your address: retryAfter=" not in said:
            heard, _, _ = select.select(crowd, (), (), 30.0)
            assert heard
            said = heard[0].recv(4096)
            if not said:
                crowd.remove(heard[0])
        assert b"\x8a\0" == pinging("127.0.0.3").recv(2)


def test_a_spectator_may_not_score_and_the_metrics_say_so(server: ServedScoreboard) -> None:
    """Commands are counted by name and outcome."""
    spectator = SocketGame(server, None)
    assert "UNAUTHORIZED" == spectator.ask("action.token", 1)["data"]["code"]
    spectator.drop()
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    assert 'live_commands_total{command="action.token",outcome="UNAUTHORIZED"} 1.0' in text
