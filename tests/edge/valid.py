"""What good clients send, in pieces that a mutator can take apart: heads, bodies, frames."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Pieces = tuple[bytes, ...]

WEBSOCKET = b"\r\n".join(
    [
        b"GET %b HTTP/1.1",
        b"Host: x",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        b"",
        b"",
    ]
)
JSON = b"Content-Type: application/json\r\n"


def get(target: bytes, fields: bytes = b"") -> bytes:
    """A request without a body."""
    return b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (target, fields)


def post(target: bytes, body: bytes, fields: bytes = JSON) -> bytes:
    """A request with one, by its length."""
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (target, fields, len(body), body)


def chunked(target: bytes, *chunks: bytes, trailer: bytes = b"") -> bytes:
    """A request with one, in chunks."""
    body = b"".join(b"%x;n=v\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (target, JSON)
    return head + body + b"0\r\n" + trailer + b"\r\n"


def frame(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """One of a WebSocket's client, masked with nothing, so that what is mutated shows."""
    size = len(payload)
    longer = struct.pack("!H", size) if 126 <= size < 65_536 else struct.pack("!Q", size) if size >= 65_536 else b""
    told = size if size < 126 else 126 if size < 65_536 else 127
    return bytes([(0x80 if last else 0) | opcode, 0x80 | told]) + longer + bytes(4) + payload


def text(payload: bytes) -> bytes:
    """A message."""
    return frame(1, payload)


#: Hashes nothing: passwords have their own tests.
SIGN_IN = b'{"username": "Somebody", "password": 12345678901234567}'
SUBSCRIBE = b'{"event": "subscribe", "data": {"channel": "leaderboard.top10"}}'
FRAMES: Sequence[bytes] = (
    text(SUBSCRIBE),
    text(b'{"event": "unsubscribe", "data": {"channel": "leaderboard.top10"}}'),
    text(b'{"event": "authenticate", "data": {"token": "a.b.c"}}'),
    text(b'{"event": "score.increment", "id": 2, "data": {"actionToken": {"token": "x"}}}'),
    frame(1, SUBSCRIBE[:20], last=False) + frame(0, SUBSCRIBE[20:]),
    frame(1, b"{", last=False) + frame(9, b"in between") + frame(0, b"}"),
    frame(2, bytes(range(256))),
    frame(9, b"are you there?"),
    frame(10, b""),
    frame(8, struct.pack("!H", 1000) + b"bye"),
    text(b'{"event": "action.token", "id": 1}') * 20,
    text(b"x" * 20_000),
)
PACKETS: Sequence[bytes] = (
    text(b"40"),
    text(b'40{"token":"a.b.c"}'),
    text(b'42["subscribe"]'),
    text(b"3"),
    text(b"41"),
)
REQUESTS: Sequence[Pieces] = (
    (get(b"/api/scores/top"),),
    (get(b"/api/v1/leaderboard?limit=10&offset=0", b"Accept-Encoding: gzip\r\nX-Request-ID: abc\r\n"),),
    (get(b"http://x/api/scores/top?limit=3"),),
    (get(b"/health"), get(b"/ready"), get(b"/api/scores/top", b"Connection: close\r\n")),
    (get(b"/", b'Cookie: a=b; c=d\r\nAccept: text/html,*/*;q=0.8\r\nIf-None-Match: "x"\r\nRange: bytes=0-9\r\n'),),
    (post(b"/api/auth/login", SIGN_IN),),
    (post(b"/api/auth/login", SIGN_IN, JSON + b"Expect: 100-continue\r\n"), get(b"/health")),
    (chunked(b"/api/auth/login", SIGN_IN[:9], SIGN_IN[9:], trailer=b"Checked: yes\r\n"), get(b"/health")),
    (post(b"/api/scores/increment", b'{"actionToken": {}}', JSON + b"Authorization: Bearer a.b.c\r\n"),),
    (post(b"/api/v1/scores/batch", b'{"scores": []}', JSON + b"Authorization: Bearer a.b.c\r\n"),),
    (b"OPTIONS /api/scores/top HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\nAccess-Control-Request-Method: GET\r\n\r\n",),
    (b"HEAD /api/scores/top HTTP/1.0\r\n\r\n",),
    (get(b"/api/v1/leaderboard/stream?channel=leaderboard.top10", b"Last-Event-ID: 1-2\r\n"),),
    (get(b"/health"), get(b"/api/v1/leaderboard/stream?channel=leaderboard.top10")),
    (get(b"/socket.io/?EIO=4&transport=polling"),),
    (post(b"/socket.io/?EIO=4&transport=polling&sid=abc", b"40", b"Content-Type: text/plain\r\n"),),
    (get(b"/hello", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"),),
    (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes.fromhex("000000040000000000"),
        bytes.fromhex("0000050104000000018286848b8b"),
    ),
    (bytes.fromhex("16030100c8010000c40303") + bytes(189),),
)
