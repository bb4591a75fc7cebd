"""The real client from npm, on every transport, written as both documents have it, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.socketio.real_client import DEFAULT, HERE, POLLING_ONLY, SOCKET_ONLY, RealClient, real_client
from tests.node_needed import node_or_skip
from tests.served import Player, ServedScoreboard, served

TOP10 = {"channel": "leaderboard.top10"}
EVERY_WAY = pytest.mark.parametrize("transports", [DEFAULT, SOCKET_ONLY, POLLING_ONLY], ids="+".join)
QUICK = {"SCOREBOARD_BOARD_TICK_S": "0.05", "SCOREBOARD_SOCKETIO_PING_INTERVAL_S": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server with its embedded stores, a quick board and quick pings; not started where there is no Node."""
    node_or_skip(HERE)
    with served(tmp_path_factory.mktemp("socketio") / "data", environ=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def ann(server: ServedScoreboard) -> Iterator[Player]:
    """Who leads."""
    player = Player(server, "Ann")
    player.score(3)
    yield player
    player.leave()


@pytest.fixture(scope="module")
def bob(server: ServedScoreboard, ann: Player) -> Iterator[Player]:
    """Who comes behind."""
    player = Player(server, "Bob")
    yield player
    player.leave()


@pytest.fixture
def client() -> Iterator[RealClient]:
    """One client."""
    with real_client() as client:
        yield client


def scores(board: dict[str, Any], name: str = "data") -> dict[str, int]:
    """What a board shows, by name."""
    return {row["username"]: row["score"] for row in board[name]}


@EVERY_WAY
def test_a_client_of_document_a_works_unchanged(
    client: RealClient, server: ServedScoreboard, ann: Player, bob: Player, transports: list[str]
) -> None:
    """Connects with its token, sees the first ten, follows scores and ranks, pings."""
    client.open(server.url, transports=transports, auth={"token": ann.access_token})
    client.happens("connect")
    board = client.event("leaderboard_update")
    assert board["type"] == "full"
    assert isinstance(board["timestamp"], int)
    assert [(row["rank"], row["username"]) for row in board["data"]][:1] == [(1, "Ann")]
    before = ann.points()
    ann.score(1)
    change = client.event("score_changed", lambda data: data["newScore"] == before + 1)
    assert change == {
        "userId": ann.user_id,
        "username": "Ann",
        "previousScore": before,
        "newScore": before + 1,
        "previousRank": 1,
        "newRank": 1,
        "timestamp": change["timestamp"],
    }
    bob.score(1)
    client.event("leaderboard_update", lambda data: scores(data).get("Bob") == bob.points())
    client.emit("ping")
    assert client.event("pong") is None
    assert [line["name"] for line in client.seen if line["what"] == "event" and "." in line["name"]] == []


def test_who_enters_the_first_ten_is_told(client: RealClient, server: ServedScoreboard, ann: Player) -> None:
    """As document A has it: the player, the new rank, that it entered."""
    client.open(server.url)
    client.event("leaderboard_update")
    newcomer = Player(server, "Cyd")
    newcomer.score(1)
    entered = client.event("rank_changed", lambda data: data["username"] == "Cyd")
    assert set(entered) == {"userId", "username", "newRank", "enteredTop10", "timestamp"}
    assert entered["enteredTop10"] is True
    newcomer.leave()


@EVERY_WAY
def test_a_client_of_document_b_works_unchanged(
    client: RealClient, server: ServedScoreboard, ann: Player, transports: list[str]
) -> None:
    """Connects with `Bearer`, subscribes, sees whole boards and their news, unsubscribes."""
    client.open(server.url, transports=transports, auth={"token": f"Bearer {ann.access_token}"})
    client.happens("connect")
    client.emit("subscribe", TOP10)
    board = client.event("leaderboard.update")
    assert board["leaderboard"][0]["username"] == "Ann"
    ann.score(1)
    client.event("leaderboard.update", lambda data: scores(data, "leaderboard")["Ann"] == ann.points())
    rival = Player(server, f"Rival{len(transports)}{transports[0]}")
    rival.score(ann.points() + 1)
    leader = client.event("leaderboard.new_leader", lambda data: data["userId"] == rival.user_id)
    assert leader["previousLeader"]["username"] == "Ann"
    moved = client.event("leaderboard.rank_change", lambda data: data["username"] == "Ann" and data["newRank"] == 2)
    assert moved["oldRank"] == 1
    ann.score(rival.points() - ann.points() + 1)
    client.emit("unsubscribe", TOP10)
    assert client.event("unsubscribed") == TOP10
    ann.score(1)
    client.emit("ping", "last")
    assert client.event("pong") == "last"
    names = [line["name"] for line in client.seen if line["what"] == "event"]
    since = names[names.index("leaderboard.update") :]
    assert "leaderboard_update" not in since
    assert "leaderboard.diff" not in since
    assert names[-2:] == ["unsubscribed", "pong"]
    rival.leave()


@EVERY_WAY
def test_a_wrong_token_is_refused_and_a_right_one_taken(
    client: RealClient, server: ServedScoreboard, ann: Player, transports: list[str]
) -> None:
    """`connect_error` says why; the same client connects with another token."""
    client.open(server.url, transports=transports, auth={"token": "Bearer nonsense"})
    refused = client.happens("connect_error")
    assert refused["message"] == "Authentication failed: The access token is not valid"
    assert refused["data"] == {"code": "UNAUTHORIZED"}
    client.do("auth", auth={"token": ann.access_token})
    client.happens("connect")
    client.event("leaderboard_update")


@EVERY_WAY
def test_pings_keep_a_session_alive(client: RealClient, server: ServedScoreboard, transports: list[str]) -> None:
    """For longer than the time after which a silent client is cut."""
    client.open(server.url, transports=transports)
    for _ in range(3):
        client.happens("ping")
    assert not any(line["what"] == "disconnect" for line in client.seen)


def test_a_client_scores_with_acknowledgements(client: RealClient, server: ServedScoreboard, ann: Player) -> None:
    """Token and increment, each answered to its own callback; a mistake is answered there, too."""
    client.open(server.url, auth={"token": ann.access_token})
    before = ann.points()
    token = client.ask("action.token")["actionToken"]
    spent = client.ask("score.increment", {"actionToken": token, "idempotencyKey": "socketio-1"})
    assert (spent["success"], spent["newScore"]) == (True, before + 1)
    assert client.ask("score.increment", {"actionToken": token, "idempotencyKey": "socketio-1"})["repeated"] is True
    assert client.ask("score.increment", {})["error"]["code"] == "INVALID_INPUT"
    assert client.ask("subscribe", {"channel": "nowhere"})["error"]["code"] == "UNKNOWN_CHANNEL"
    assert client.ask("subscribe", TOP10) == {}


def test_an_upgrade_under_traffic_loses_and_doubles_nothing(server: ServedScoreboard, ann: Player) -> None:
    """Differences of a board that moves all the time fit each other from the first on, whichever way they came."""
    with real_client() as client:
        client.open(server.url, transports=DEFAULT, auth={"token": ann.access_token, "full": False})
        upgraded = False
        while not upgraded:
            ann.score(1)
            upgraded = client.wait_for(lambda line: line["what"] in {"upgrade", "event"})["what"] == "upgrade"
        ann.score(5)
        points = ann.points()
        client.event("leaderboard_update", lambda data: scores(data).get("Ann") == points)
        first, *then = client.events("leaderboard_update")
    assert first["type"] == "full"
    assert {board["type"] for board in then} == {"diff"}
    assert [board["from"] for board in then] == [first["version"], *(board["to"] for board in then[:-1])]


@EVERY_WAY
def test_a_client_comes_back_after_a_restart(
    client: RealClient, server: ServedScoreboard, ann: Player, transports: list[str]
) -> None:
    """By itself, with its token, and gets the board anew; what it had subscribed to it asks for again."""
    options = {"reconnectionDelay": 100, "reconnectionDelayMax": 500}
    client.open(server.url, transports=transports, auth={"token": ann.access_token}, **options)
    before = scores(client.event("leaderboard_update"))
    if transports == DEFAULT and not any(line["what"] == "upgrade" for line in client.seen):
        client.happens("upgrade")
    assert server.stop() == 0
    # Whoever polls may be between two requests just now: `test_ways` has both cases, each by itself.
    reasons = {"transport close", "transport error"} if transports == POLLING_ONLY else {"transport close"}
    assert client.happens("disconnect")["reason"] in reasons
    server.start()
    client.happens("connect")
    assert scores(client.event("leaderboard_update")) == before
