"""How a client of the live feed greets each kind of server, and finds the event in what it sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.wire import text_frame

Event = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server behind a WebSocket.

    `path` is what is opened, `welcome` what must have come before a client speaks, `greeting` the frames that it then
    sends, `event` the name and data of a text message, None for one that is not an event; `keep_alive` is a text that
    must be answered by the frame `alive`.
    """

    path: str
    greeting: bytes
    event: Callable[[bytes], Event | None]
    keep_alive: bytes | None = None
    alive: bytes = b""
    welcome: bytes = b""


def _enveloped(payload: bytes) -> Event:
    message = json.loads(payload)
    return message["event"], message["data"]


def _socketio(payload: bytes) -> Event | None:
    """Engine.IO 4 (first digit: 4 is a message) and Socket.IO 5 in it (second digit: 2 is an event)."""
    if not payload.startswith(b"42"):
        return None
    name, data = json.loads(payload[2:])
    return name, data


_SUBSCRIBE = json.dumps({"event": "subscribe", "data": {"channel": "leaderboard.top10"}}).encode()

_SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
_SUBSCRIBE_ANEW = json.dumps(["subscribe", {"channel": "leaderboard.top10", "full": False}]).encode()

DIALECTS = {
    "scoreboard": Dialect("/ws/leaderboard", text_frame(_SUBSCRIBE), _enveloped),
    "plain": Dialect("/", b"", _enveloped),
    # As the last, but here it is our server, which shows the board of document A until one subscribes.
    "scoreboard-socketio": Dialect(
        _SOCKETIO,
        text_frame(b"40") + text_frame(b"42" + _SUBSCRIBE_ANEW),
        _socketio,
        b"2",
        text_frame(b"3"),
        b'"sid":',
    ),
    # 40 enters the default namespace; the server sends 2 to hear 3.
    "socketio": Dialect(_SOCKETIO, text_frame(b"40"), _socketio, b"2", text_frame(b"3"), b'"sid":'),
}
