"""Every way to come to the live feed of a real server as somebody: what each says to a token, or to a ticket."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import httpx

from tests.integration.socket_game import SocketGame
from tests.integration.test_live_feed import STREAM
from tests.live.wire import handshake
from tests.served import ServedScoreboard

SOCKET_IO = "/socket.io/?EIO=4&transport="
#: What a way answers: who is let in as a player hears nothing, who is refused hears the code of why.
Way = Callable[[ServedScoreboard, str], str]


def in_the_header(path: str) -> Way:
    """The handshake of a WebSocket."""
    return lambda server, proof: _refused(server, handshake(path, authorization=f"Bearer {proof}"))


def in_the_address(path: str) -> Way:
    """The same with a ticket."""
    return lambda server, proof: _refused(server, handshake(f"{path}?ticket={proof}"))


def _refused(server: ServedScoreboard, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        answer = connection.recv(65_536)
    head, _, body = answer.partition(b"\r\n\r\n")
    return "" if head.startswith(b"HTTP/1.1 101 ") else f"{head.split()[1].decode()} {json.loads(body)['code']}"


def as_first_message(path: str) -> Way:
    """`authenticate` on a WebSocket of a spectator, and then a channel of the player's own, which says the same."""

    def way(server: ServedScoreboard, proof: str) -> str:
        game = SocketGame(server, None, path)
        game.say("authenticate", token=proof)
        while (said := game.message())["event"] not in {"error", "authenticated"}:
            pass  # the board that is shown without being asked for
        still = _own_channel(game)
        game.drop()
        told = "" if said["event"] == "authenticated" else str(said["data"]["code"])
        return told if told == still else f"{told}, and then {still}"

    return way


def _own_channel(game: SocketGame) -> str:
    game.say("subscribe", channel="player.me")
    while (said := game.message())["event"] not in {"error", "player.update", "score_changed", "rank_changed"}:
        pass
    return str(said["data"].get("code", ""))


def by_stream(server: ServedScoreboard, proof: str) -> str:
    """Server-sent events with a token."""
    return _streamed(server, {}, {"Authorization": f"Bearer {proof}"})


def by_stream_with_ticket(server: ServedScoreboard, proof: str) -> str:
    """Server-sent events with a ticket."""
    return _streamed(server, {"ticket": proof}, {})


def _streamed(server: ServedScoreboard, query: dict[str, str], headers: dict[str, str]) -> str:
    asked = {"channel": "player.me", **query}
    client = httpx.Client(trust_env=False, timeout=30)
    with client, client.stream("GET", server.url + STREAM, params=asked, headers=headers) as response:
        return "" if response.status_code == 200 else f"{response.status_code} {_code(response)}"


def _code(response: httpx.Response) -> str:
    response.read()
    return str(response.json()["error"]["code"])


def by_socket_io(server: ServedScoreboard, proof: str) -> str:
    """`auth.token` of Socket.IO, by polling: packet 40 is answered by 40 or 44."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        session = json.loads(http.get(f"{SOCKET_IO}polling").text[1:])["sid"]
        there = f"{SOCKET_IO}polling&sid={session}"
        http.post(there, content="40" + json.dumps({"token": proof}), headers={"Content-Type": "text/plain"})
        packet = http.get(there).text.partition("\x1e")[0]
    return "" if packet.startswith("40") else str(json.loads(packet[2:])["data"]["code"])


#: By name: the way, and what a token that is not good hears there.
BY_TOKEN: dict[str, tuple[Way, str]] = {
    "websocket": (in_the_header("/ws/leaderboard"), "401 UNAUTHORIZED"),
    "websocket of document A": (in_the_header("/ws"), "401 UNAUTHORIZED"),
    "first message": (as_first_message("/ws/leaderboard"), "UNAUTHORIZED"),
    "first message of document A": (as_first_message("/ws"), "AUTH_FAILED"),
    "stream": (by_stream, "401 UNAUTHORIZED"),
    "socket.io": (by_socket_io, "UNAUTHORIZED"),
}
BY_TICKET: dict[str, tuple[Way, str]] = {
    "websocket": (in_the_address("/ws/leaderboard"), "401 UNAUTHORIZED"),
    "websocket of document A": (in_the_address("/ws"), "401 UNAUTHORIZED"),
    "stream": (by_stream_with_ticket, "401 UNAUTHORIZED"),
}
