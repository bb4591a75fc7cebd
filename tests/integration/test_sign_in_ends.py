"""What the clients of every transport of the real server hear when their sign-in ends, and how they renew it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from actors.connection.events import SESSION_ENDED
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.tokens import AccessTokens
from tests.integration.socket_game import SocketGame
from tests.integration.test_live_feed import streamed
from tests.live.socketio.real_client import DEFAULT, HERE, POLLING_ONLY, SOCKET_ONLY, RealClient, real_client
from tests.node_needed import node_or_skip
from tests.served import Player, ServedScoreboard, served

pytestmark = pytest.mark.stores

LIVES_S = 8
TOP, ME = "leaderboard.top100", "player.me"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server with a quick board; not started where there is no Node."""
    node_or_skip(HERE)
    with served(tmp_path_factory.mktemp("ends") / "data", environ={"SCOREBOARD_BOARD_TICK_S": "0.05"}) as server:
        yield server


def short_token(server: ServedScoreboard, player: Player) -> str:
    """A token of the player's session that is good for some seconds, as the server itself signs them."""
    claims = json.loads(base64.urlsafe_b64decode(player.access_token.split(".")[1] + "=="))

    def now_us() -> int:
        return time.time_ns() // 1000

    ring = load_keys(server.data)
    tokens = AccessTokens(
        lambda: ring,
        RevokedSessions(keep_s=LIVES_S, now_us=now_us),
        issuer=claims["iss"],
        audience=claims["aud"],
        lifetime_s=LIVES_S,
        now_us=now_us,
    )
    session_id = claims["jti"].rpartition(".")[0]
    return tokens.issue(user_id=player.user_id, username=claims["username"], role=claims["role"], session_id=session_id)


class OnSocketIo:
    """The real client from npm, signed in, watching a board and itself."""

    def __init__(self, client: RealClient, server: ServedScoreboard, token: str, transports: list[str]) -> None:
        self.client = client
        self.ends = "transport error" if transports == POLLING_ONLY else "transport close"  # there is no close code
        client.open(server.url, transports=transports, auth={"token": token})
        client.happens("connect")
        for channel in (ME, TOP):
            client.emit("subscribe", {"channel": channel})
        client.event("player.update")
        client.event("leaderboard.update")
        if transports == DEFAULT and not any(line["what"] == "upgrade" for line in client.seen):
            client.happens("upgrade")

    def hears_of_expiry(self, player: Player, renewal: str) -> None:
        """Boards go on and what is the player's own does not; a new token brings it back."""
        client = self.client
        assert client.event("error")["code"] == "TOKEN_EXPIRED"
        seen = len(client.events("player.update"))
        points = player.points()
        client.event("leaderboard.update", lambda data: score_of(data["leaderboard"], player) == points)
        assert client.ask("subscribe", {"channel": ME})["error"]["code"] == "UNAUTHORIZED"
        assert client.ask("action.token")["error"]["code"] == "ACCESS_TOKEN_EXPIRED"
        assert len(client.events("player.update")) == seen
        assert client.ask("authenticate", {"token": renewal})["userId"] == player.user_id
        client.emit("subscribe", {"channel": ME})
        assert client.event("player.update")["score"] == points
        assert client.ask("action.token")["actionToken"]["userId"] == player.user_id
        assert not {"disconnect", "connect_error"} & {line["what"] for line in client.seen}

    def hears_of_the_end(self, code: str) -> None:
        """Why, and it is over; it comes back by itself and hears that its token is no longer good."""
        assert self.client.event("error")["code"] == code
        assert self.client.happens("disconnect")["reason"] == self.ends
        assert self.client.happens("connect_error")["data"] == {"code": "UNAUTHORIZED"}


def score_of(rows: list[dict[str, Any]], player: Player) -> int | None:
    """What a board shows of a player."""
    return next((row["score"] for row in rows if row["userId"] == player.user_id), None)


def hears_of_expiry_on_a_stream(events: Iterator[tuple[str, str, Any]], player: Player) -> None:
    """The boards go on, without what is the player's own. Nothing can be said there."""
    data = next(data for _, name, data in events if name == "error")
    assert (data["code"], "connect anew" in data["message"]) == ("TOKEN_EXPIRED", True)
    points = player.points()
    for _, name, data in events:
        assert name not in {"player.update", "error"}
        if name == "leaderboard.update" and score_of(data["leaderboard"], player) == points:
            return


def watching_all(
    scope: ExitStack, server: ServedScoreboard, token: str
) -> tuple[list[OnSocketIo], Iterator[tuple[str, str, Any]], SocketGame]:
    """A client on every transport, each with a board and the player's own channel."""
    reader = scope.enter_context(httpx.Client(base_url=server.url, timeout=30.0, trust_env=False))
    reader.headers["Authorization"] = f"Bearer {token}"
    channels: Any = [TOP, ME]
    events = scope.enter_context(streamed(reader, channel=channels, full="true"))
    assert {next(events)[1], next(events)[1]} == {"leaderboard.update", "player.update"}
    game = SocketGame(server, token)
    scope.callback(game.drop)
    clients = [scope.enter_context(real_client()) for _ in range(3)]
    ways = zip(clients, (DEFAULT, SOCKET_ONLY, POLLING_ONLY), strict=True)
    return [OnSocketIo(client, server, token, transports) for client, transports in ways], events, game


def test_a_token_that_expires_is_told_on_every_transport(server: ServedScoreboard) -> None:
    """The connection stays, as anybody's; `authenticate` renews it where something can be said."""
    player = Player(server, "Expiring")
    player.score(1)
    with ExitStack() as scope:
        clients, events, game = watching_all(scope, server, short_token(server, player))
        assert game.message()["data"]["code"] == "TOKEN_EXPIRED"
        player.score(1)
        for client in clients:
            client.hears_of_expiry(player, player.access_token)
        hears_of_expiry_on_a_stream(events, player)
    player.leave()


def test_a_logout_is_heard_on_every_transport(server: ServedScoreboard) -> None:
    """All connections of that session are told and closed, and no other one of the same player."""
    player = Player(server, "Leaving")
    player.score(1)
    account = {"username": "Leaving", "password": "Leaving-Passw0rd!"}
    again = httpx.post(f"{server.url}/api/auth/login", json=account, trust_env=False).raise_for_status().json()
    with ExitStack() as scope:
        clients, events, game = watching_all(scope, server, player.access_token)
        other = SocketGame(server, again["accessToken"])
        scope.callback(other.drop)
        player.http.post("/api/auth/logout", json={}).raise_for_status()
        assert (game.message()["data"]["code"], game.close_code()) == ("TOKEN_REVOKED", SESSION_ENDED)
        for client in clients:
            client.hears_of_the_end("TOKEN_REVOKED")
        assert [(name, data["code"]) for _, name, data in events] == [("error", "TOKEN_REVOKED")]
        assert other.ask("ping")["event"] == "pong"
    player.leave()
