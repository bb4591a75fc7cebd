"""What every answer of the real server tells a browser, whichever room it comes from."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.served import ServedScoreboard

pytestmark = pytest.mark.stores

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
PAGES = ("/", "/api/docs")
STREAM = "/api/v1/leaderboard/stream"
OTHERS = (
    *("/health", "/docs", "/web/client.js", "/api/scores/top", "/api/v1/leaderboard/top", "/.well-known/jwks.json"),
    *("/api/nothing", "/api/v1/nothing", "/nothing", "/api/scores/top?limit=-1", "/api/v1/users/me"),
    *("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3&transport=polling", "/socket.io/?EIO=4&transport=x"),
    *(f"{STREAM}?channel=nothing", STREAM),
)
HANDSHAKE = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 7\r\n"
RAW = {
    "a head that is none": b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    "a target that is none": b"GET http://other/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "a handshake that is refused": f"GET /ws HTTP/1.1\r\nhost: x\r\n{HANDSHAKE}\r\n".encode(),
    "one of Socket.IO": f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\n{HANDSHAKE}\r\n".encode(),
    "a stream": f"GET {STREAM}?channel=leaderboard.top10 HTTP/1.1\r\nhost: x\r\n\r\n".encode(),
}


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_every_answer_tells_browsers_what_they_may_do(server: ServedScoreboard, path: str) -> None:
    """Pages and data, errors too: each rule once."""
    sent = httpx.get(server.url + path, trust_env=False).headers
    assert EVERYWHERE == {name: sent.get(name) for name in EVERYWHERE}
    [policy] = sent.get_list("content-security-policy")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert ("default-src 'self'" if path in PAGES else "default-src 'none'") in policy
    assert "camera=()" in sent["permissions-policy"]


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW)
def test_what_is_said_before_any_route_says_so_too(server: ServedScoreboard, request_: bytes) -> None:
    """By the door, and by the live feed in place of a WebSocket."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request_)
        said = b""
        while b"\r\n\r\n" not in said:
            said += connection.recv(65_536)
    lines = said.partition(b"\r\n\r\n")[0].decode("latin-1").lower().split("\r\n")
    for name, value in EVERYWHERE.items():
        assert 1 == lines.count(f"{name}: {value.lower()}"), lines
    assert 1 == len([line for line in lines if line.startswith("content-security-policy: default-src 'none'")])
