"""The live feed of the real server: where it begins, tickets, streams of events, document A's words."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest

from tests.integration.socket_game import SocketGame
from tests.live.wire import handshake
from tests.served import Player, ServedScoreboard
from tests.workers import Talk

pytestmark = pytest.mark.stores

STREAM = "/api/v1/leaderboard/stream"


def ticket_of(player: Player) -> str:
    """A fresh one."""
    answer = player.http.post("/api/v1/live/ticket").raise_for_status().json()
    ticket: str = answer["data"]["ticket"]
    return ticket


def status_of(server: ServedScoreboard, path: str) -> int:
    """What a handshake is answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(handshake(path))
        return int(connection.recv(65_536).split()[1])


@contextmanager
def streamed(client: httpx.Client, **query: str) -> Iterator[Iterator[tuple[str, str, Any]]]:
    """The id, name and data of each event of a stream."""
    with client.stream("GET", STREAM, params=query) as response:
        assert response.status_code == 200, response.read()
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and "data" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
        fields = fields | {name: value} if line else {}


@contextmanager
def kept(server: ServedScoreboard, *paths: str) -> Iterator[tuple[socket.socket, str]]:
    """A connection on which these were asked for, and the last answer's body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with closing(connection):
        told = ""
        for path in paths:
            connection.request("GET", path)
            told = connection.getresponse().read().decode()
        yield connection.sock, told


def test_a_feed_begins_on_a_connection_that_had_requests_before_it(server: ServedScoreboard) -> None:
    """A proxy with a pool of connections to the server asks for it on any of them."""
    for path in ("/ws/leaderboard", "/ws"):
        with kept(server, "/health", "/api/scores/top") as (line, _):
            talk = Talk(line, path)
            talk.say('{"event": "subscribe", "data": {"channel": "leaderboard.top10"}}')
            while "leaderboard.top10" not in talk.heard():
                pass


def test_socketio_becomes_a_websocket_on_a_connection_that_had_requests_before_it(server: ServedScoreboard) -> None:
    """From the first word, and on the very connection on which its session was polled for."""
    with kept(server, "/health") as (line, _):
        assert Talk(line, "/socket.io/?EIO=4&transport=websocket").heard().startswith("0{")
    with kept(server, "/socket.io/?EIO=4&transport=polling") as (line, told):
        talk = Talk(line, f"/socket.io/?EIO=4&transport=websocket&sid={json.loads(told[1:])['sid']}")
        talk.say("2probe")
        assert "3probe" == talk.heard()


def told_behind_a_handshake(server: ServedScoreboard, path: str) -> bytes:
    """All that is said, to its end, on a connection that asks for a WebSocket and, in the same packet, for a page."""
    with kept(server, "/health") as (line, _):
        line.sendall(handshake(path) + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        told = b""
        while data := line.recv(65_536):
            told += data
    return told


@pytest.mark.parametrize("path", ["/ws/leaderboard", "/socket.io/?EIO=4&transport=websocket"])
def test_a_request_behind_a_handshake_is_no_frame_and_ends_the_feed(server: ServedScoreboard, path: str) -> None:
    """As on a connection of its own: what follows a WebSocket's request is its frames; 1002 says what is wrong."""
    told = told_behind_a_handshake(server, path)
    assert told.startswith(b"HTTP/1.1 101 ")
    assert told.count(b"HTTP/1.1") == 1
    assert b"\x03\xea" in told


@pytest.mark.parametrize("path", ["/ws/nowhere", "/ws/leaderboard?ticket=wrong"])
def test_a_handshake_that_is_refused_is_the_last_of_its_connection(server: ServedScoreboard, path: str) -> None:
    """What stands behind it is not read as requests."""
    told = told_behind_a_handshake(server, path)
    assert told.startswith(b"HTTP/1.1 40")
    assert (1, True) == (told.count(b"HTTP/1.1"), b"connection: close" in told)


def test_a_ticket_opens_one_feed_whatever_its_transport(server: ServedScoreboard) -> None:
    """Once; and not after its session has ended."""
    player = Player(server, "Ticketed")
    for path in ("/ws", "/ws/leaderboard"):
        ticket = ticket_of(player)
        assert [status_of(server, f"{path}?ticket={ticket}") for _ in range(2)] == [101, 401]
    ticket = ticket_of(player)
    reader = httpx.Client(base_url=server.url, timeout=30.0, trust_env=False)
    with streamed(reader, channel="leaderboard.top10", ticket=ticket) as events:
        assert next(events)[1] == "leaderboard.update"
    refused = reader.get(STREAM, params={"channel": "leaderboard.top10", "ticket": ticket})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    reader.close()
    player.leave()


def test_a_stream_goes_on_where_its_client_left(server: ServedScoreboard) -> None:
    """On a connection that served other requests before; each step of the board comes once."""
    player = Player(server, "Streamed")
    player.score(1)
    reader = httpx.Client(base_url=server.url, timeout=30.0, trust_env=False)
    reader.get("/health")
    with streamed(reader, channel="leaderboard.top100") as events:
        last, name, full = next(events)
        assert (name, last) == ("leaderboard.update", f"{full['epoch']}:{full['version']}")
        player.score(1)
        moved, name, diff = next(events)
        while name != "leaderboard.diff" or player.user_id not in [row["userId"] for row in diff["changes"]]:
            moved, name, diff = next(events)
    with streamed(reader, channel="leaderboard.top100", lastEventId=moved or last) as events:
        player.score(1)
        assert next(events)[1] == "leaderboard.diff"
    reader.close()
    player.leave()


def test_document_as_feed_tells_of_scores_and_ranks(server: ServedScoreboard) -> None:
    """With the player's step: the rows, the score, and who came into the first ten."""
    player = Player(server, "Dialect")
    game = SocketGame(server, None, "/ws")
    assert game.message()["data"]["type"] == "full"
    player.score(3)
    told: dict[str, Any] = {}
    while "score_changed" not in told:
        message = game.message()
        told[message["event"]] = message["data"]
    assert told["leaderboard_update"]["type"] == "diff"
    assert told["score_changed"]["userId"] == player.user_id
    game.drop()
    player.leave()


def test_a_logout_closes_the_live_socket(server: ServedScoreboard) -> None:
    """At once, and with its reason; a spectator's stays."""
    player = Player(server, "Leaver")
    game, spectator = SocketGame(server, player.access_token), SocketGame(server, None)
    assert game.ask("ping")["event"] == "pong"
    player.http.post("/api/auth/logout").raise_for_status()
    assert game.message()["data"]["code"] == "TOKEN_REVOKED"
    assert 4001 == game.close_code()
    assert spectator.ask("ping")["event"] == "pong"
    for each in (game, spectator):
        each.drop()
    player.leave()


@pytest.mark.parametrize("path", ["/ws", "/ws/leaderboard"])
def test_a_player_sees_its_surroundings_move(server: ServedScoreboard, path: str) -> None:
    """Also on a board that nobody else looks at."""
    player = Player(server, f"Around{len(path)}")
    game = SocketGame(server, player.access_token, path)
    game.say("subscribe", channel="leaderboard.around_me")
    game.say("subscribe", channel="player.me")
    game.say("subscribe", channel="leaderboard.daily.around_me", radius=1)
    player.score(2)
    scores: dict[str, int] = {}
    while set(scores.values()) != {2} or len(scores) < 2:
        data = game.message()["data"]
        rows = data.get("changes") or data.get("leaderboard") or data.get("data") or ()
        for row in rows:
            if row["userId"] == player.user_id and data["channel"].endswith("around_me"):
                scores[data["channel"]] = row["score"]
    assert set(scores) == {"leaderboard.around_me", "leaderboard.daily.around_me"}
    game.drop()
    player.leave()
