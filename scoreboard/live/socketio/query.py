"""What the query of a request to Engine.IO says. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scoreboard.live.query import TooManyFields, fields_of
from scoreboard.live.socketio.engine import Way
from scoreboard.live.socketio.refusals import UNKNOWN_TRANSPORT, UNSUPPORTED_VERSION, EngineRefusal, bad_request

#: Where clients find it: the path of socket.io-client, with and without its option `addTrailingSlash`.
PATHS = frozenset({"/socket.io/", "/socket.io"})

_VERSION = ["4"]
_NUMBER = re.compile(r"[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Query:
    """The way that a request is part of, and its session; without one it is a handshake."""

    way: Way
    sid: str | None


def query_of(text: str) -> Query | EngineRefusal:
    """What a query says, or why it may not; what else stands in it is the client's own business."""
    try:
        fields = fields_of(text)
    except TooManyFields as error:
        return bad_request(str(error))
    transports, sids = fields.get("transport", []), fields.get("sid", [])
    if transports not in (["polling"], ["websocket"]):
        return UNKNOWN_TRANSPORT
    if fields.get("EIO") != _VERSION:
        return UNSUPPORTED_VERSION
    if "j" in fields:
        return bad_request("Answers in JavaScript (JSONP) are not given here.")
    if len(sids) > 1:
        return bad_request("A request belongs to one session.")
    return Query(Way(transports[0]), sids[0] if sids else None)


def session_id(worker: int, secret: str) -> str:
    """The id of a session, which begins with the number of the worker that holds it."""
    return f"{worker:02}{secret}"


def session_asked(target: str) -> str | None:
    """The id of the session that a request (or a handshake) is for; None if it names none."""
    path, _, text = target.partition("?")
    if path not in PATHS or "sid=" not in text:
        return None
    query = query_of(text)
    return None if isinstance(query, EngineRefusal) else query.sid


def worker_asked(target: str) -> int | None:
    """The number of the worker whose session that is; None if it names none."""
    number = _NUMBER.match(session_asked(target) or "")
    return None if number is None else int(number[0])
