"""Bodies and messages that are too long, or nested without end: each is refused where it comes in."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import httpx
import psutil
import pytest

from scoreboard.stores.embedded_postgres import running_url
from tests.attacks.conftest import make_admin
from tests.attacks.state import fingerprint
from tests.integration.socket_game import SocketGame
from tests.integration.test_batches import operator as make_service
from tests.live.wire import CONTINUATION, TEXT, frame, text
from tests.served import Player, ServedScoreboard

pytestmark = pytest.mark.stores

MIB = 1024 * 1024
DEEP = {
    "lists": b"[" * 8_000,
    "closed lists": b"[" * 4_000 + b"]" * 4_000,
    "objects": b'{"a":' * 3_000,
    "within a field": b'{"username":' + b"[" * 7_000,
    "long number": b'{"username":' + b"9" * 9_000 + b"}",
    "great exponent": b'{"username":1e99999999}',
    "one name many times": b"{" + b",".join([b'"a":1'] * 1_500) + b"}",
    "many names": json.dumps({f"n{number}": 1 for number in range(1_200)}).encode(),
    "long string": b'{"username":"' + b"a" * 15_000 + b'"}',
}
JSON = {"Content-Type": "application/json"}
POLLING = "/socket.io/?EIO=4&transport=polling"
#: A message of the live feed is not longer, nor is what it costs to refuse one.
LONGEST_MESSAGE = 16 * 1024


@pytest.fixture(scope="module")
def ada(server: ServedScoreboard) -> Player:
    """Who may do everything, so that what is sent gets as far as it can."""
    player = Player(server, "Ada")
    make_admin(server, player)
    return player


@pytest.fixture
def _unchanged(server: ServedScoreboard, ada: Player) -> Iterator[None]:
    """Nothing is written, the server serves on, and has not grown by what was thrown at it."""
    assert server.process is not None
    before, process = fingerprint(running_url(server.data)), psutil.Process(server.process.pid)
    resident = process.memory_info().rss
    yield
    assert before == fingerprint(running_url(server.data))
    assert 0 == ada.points()
    assert process.memory_info().rss - resident < 64 * MIB


def with_bodies(server: ServedScoreboard) -> list[tuple[str, str]]:
    """Method and path of all that takes a body, as the API describes itself."""
    told = httpx.get(f"{server.url}/api/openapi.json", trust_env=False).json()
    somebody = "00000000-0000-4000-8000-00000000dead"
    return [
        (method, path.replace("{userId}", somebody))
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]


def proofs(server: ServedScoreboard, ada: Player) -> dict[str, dict[str, str]]:
    """What opens a route: that of services is opened by a token of theirs."""
    service = make_service(server, "add", "arena")
    return {"/api/v1/scores/batch": {"Authorization": f"Bearer {service}"}}


@pytest.mark.usefixtures("_unchanged")
def test_what_is_nested_or_long_within_bounds_is_no_body_of_any_route(server: ServedScoreboard, ada: Player) -> None:
    """A sentence that says what is wrong; never an error of ours."""
    others = proofs(server, ada)
    for method, path in with_bodies(server):
        for name, body in DEEP.items():
            headers = {**JSON, **others.get(path, {})}
            answer = ada.http.request(method, path, content=body, headers=headers)
            assert 400 <= answer.status_code < 500, (method, path, name, answer.status_code, answer.text[:200])
            assert 400 == answer.status_code or path.endswith(("/login", "/sessions/end")), (path, name, answer.text)


@pytest.mark.usefixtures("_unchanged")
def test_what_is_too_long_is_refused_unread(server: ServedScoreboard, ada: Player) -> None:
    """Said beforehand, by its length, or noticed while it comes; of 64 MiB no more is taken than is ever needed."""
    for method, path in with_bodies(server):
        most = MIB if path.endswith("/batch") else 17 * 1024
        body = b'{"a":"' + b"a" * (most + most) + b'"}'
        assert 413 == ada.http.request(method, path, content=body, headers=JSON).status_code, path
        said = f"{method.upper()} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {64 * MIB}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(said.encode())
            assert b"413" in connection.recv(4096).split(b"\r\n")[0], path


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("path", ["/ws", "/ws/leaderboard"])
def test_a_websocket_refuses_what_is_long_or_deep(path: str, server: ServedScoreboard, ada: Player) -> None:
    """A deep message is answered, and the connection goes on; one that is too long, in whatever pieces, ends it."""
    for body in DEEP.values():
        game = SocketGame(server, ada.access_token, path)
        game.socket.sendall(text(body.decode()))
        while (said := game.message())["event"] != "error":
            pass
        assert "INVALID_INPUT" == said["data"]["code"], body[:40]
        assert ada.user_id == game.token()["userId"]
        game.drop()
    piece, last = b"a" * 4_096, LONGEST_MESSAGE // 4_096 + 1
    long = [frame(TEXT, piece, fin=False), *[frame(CONTINUATION, piece, fin=False)] * last]
    endless = bytes((0x81, 0xFF)) + b"\x7f" + b"\xff" * 7 + bytes(4) + b"a" * (LONGEST_MESSAGE + 1)  # of nine exabytes
    for frames in (text("a" * (LONGEST_MESSAGE + 1)), b"".join(long), endless):
        game = SocketGame(server, ada.access_token, path)
        game.socket.sendall(frames)
        assert 1009 == _code_of_the_end(game)
        game.drop()


def _code_of_the_end(game: SocketGame) -> int:
    """Of the close frame, whatever board came before it."""
    while b"\x88" not in game._data:
        game._more()
    return int.from_bytes(game._data[game._data.index(b"\x88") + 2 :][:2], "big")


@pytest.mark.usefixtures("_unchanged")
def test_socket_io_refuses_what_is_long_or_deep(server: ServedScoreboard, ada: Player) -> None:
    """A deep event is answered by an error; a body that is too long is refused; a session more or less is nobody's."""
    for body in DEEP.values():
        assert "INVALID_INPUT" in _polled(server, ada, f'42["subscribe",{body.decode()}]')
    session = _session(server, ada)
    plain = {"Content-Type": "text/plain"}
    assert 413 == httpx.post(session, content="4" * 2 * MIB, headers=plain, trust_env=False).status_code
    many = "\x1e".join(['42["ping"]'] * 5_000)
    assert 400 <= httpx.post(_session(server, ada), content=many, headers=plain, trust_env=False).status_code < 500


def _session(server: ServedScoreboard, ada: Player) -> str:
    told = json.loads(httpx.get(server.url + POLLING, trust_env=False).text[1:])
    there = f"{server.url}{POLLING}&sid={told['sid']}"
    httpx.post(there, content="40" + json.dumps({"token": ada.access_token}), trust_env=False).raise_for_status()
    httpx.get(there, trust_env=False).raise_for_status()
    return there


def _polled(server: ServedScoreboard, ada: Player, packet: str) -> str:
    there = _session(server, ada)
    answer = httpx.post(there, content=packet, headers={"Content-Type": "text/plain"}, trust_env=False)
    if not answer.is_success:
        return answer.text
    while '42["error"' not in (heard := httpx.get(there, trust_env=False, timeout=30).text):
        pass
    return heard
