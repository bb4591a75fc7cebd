"""The way of requests, for an ASGI server on Trio: one request brings packets, another waits for some."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from scoreboard.ends import Ends, Waiting
from scoreboard.live.handshake import AllowOrigin
from scoreboard.live.socketio.engine import Way
from scoreboard.live.socketio.packets import payload
from scoreboard.live.socketio.query import PATHS, query_of
from scoreboard.live.socketio.refusals import (
    BAD_METHOD,
    CLOSING,
    FORBIDDEN,
    FULL,
    TOO_LARGE,
    TOO_SLOW,
    UNKNOWN_SID,
    EngineRefusal,
    bad_request,
)
from scoreboard.live.socketio.session import RequestRefused, Session
from scoreboard.live.socketio.sessions import Sessions
from scoreboard.live.socketio.world import SocketIoLimits
from scoreboard.wire.browsers import GUARDED
from scoreboard.wire.source import source_of

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Fields = list[tuple[bytes, bytes]]
#: Hears of every request that was answered: method, path, status, seconds.
Served = Callable[[str, str, int, float], None]

_TEXT = (b"content-type", b"text/plain; charset=UTF-8")
_JSON = (b"content-type", b"application/json")
_CONSTANT: Fields = [(b"cache-control", b"no-store"), *GUARDED]
_PREFLIGHT: Fields = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"86400"),
]
_ALLOW = (b"allow", b"GET, POST, OPTIONS")


class _Gone(Exception):
    """The client hung up; there is nobody to answer."""


class Polling:
    """Answers every request under `PATHS`.

    Args:
        sessions: All there are.
        limits: Bounds.
        allow_origin: Whether a page of an origin may ask.
        served: Hears of every answer.
    """

    def __init__(self, sessions: Sessions, limits: SocketIoLimits, allow_origin: AllowOrigin, served: Served) -> None:
        self._sessions = sessions
        self._limits = limits
        self._ends = Ends()
        self._allow_origin = allow_origin
        self._served = served

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request of ASGI. Raises nothing but cancellation."""
        began = trio.current_time()
        headers: Fields = scope["headers"]
        try:
            status, body, fields = await self._answer(scope, headers, receive)
        except _Gone:
            return
        fields = [*fields, *_CONSTANT, *self._cors(headers)]
        if status != 204:  # noqa: PLR2004
            fields.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._served(scope["method"], max(PATHS), status, trio.current_time() - began)

    async def _answer(self, scope: Any, headers: Fields, receive: Receive) -> tuple[int, bytes, Fields]:
        if scope["method"] not in ("GET", "POST", "OPTIONS"):
            return 405, b"", [_ALLOW]
        answer = FORBIDDEN if not self._is_welcome(headers) else await self._serve(scope, receive)
        if isinstance(answer, EngineRefusal):
            return answer.status, answer.body, [_JSON]
        return (204, b"", [_ALLOW, *_PREFLIGHT]) if answer is None else (200, answer, [_TEXT])

    async def _serve(self, scope: Any, receive: Receive) -> bytes | EngineRefusal | None:
        if scope["method"] == "OPTIONS":
            return None
        query = query_of(scope["query_string"].decode("latin-1"))
        if isinstance(query, EngineRefusal):
            return query
        if query.way is Way.WEBSOCKET:
            return bad_request("This way begins with the handshake of a WebSocket.")
        if query.sid is None:
            return BAD_METHOD if scope["method"] == "POST" else self._begin(scope)
        session = self._sessions.find(query.sid)
        if session is None:
            return UNKNOWN_SID
        return await (self._poll if scope["method"] == "GET" else self._post)(session, receive)

    def _begin(self, scope: Any) -> bytes | EngineRefusal:
        agent = _values(scope["headers"], b"user-agent")
        source = source_of(scope.get("client"), agent[0] if agent else None)
        session = self._sessions.begin(Way.POLLING, source)
        if session is None:
            return CLOSING if self._sessions.is_closing else FULL
        return payload([session.opening])

    async def _poll(self, session: Session, receive: Receive) -> bytes | EngineRefusal:
        """Raises _Gone when the client hangs up before there is an answer, and the session is over."""
        answer: bytes | EngineRefusal | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_gone, receive, nursery.cancel_scope)
            try:
                answer = await session.poll()
            except RequestRefused as refused:
                answer = bad_request(str(refused))
            nursery.cancel_scope.cancel()
        if answer is None:
            raise _Gone
        return answer

    async def _post(self, session: Session, receive: Receive) -> bytes | EngineRefusal:
        body: bytes | None = None
        with trio.move_on_after(self._ends.within(self._limits.body_within_s, Waiting.BODY, trio.current_time())):
            body = await _body_of(receive, self._limits.message_bytes)
            if body is None:
                return TOO_LARGE
        if body is None:
            return TOO_SLOW
        try:
            await session.post(body)
        except RequestRefused as refused:
            return bad_request(str(refused))
        return b"ok"

    # --- origins ---

    def _is_welcome(self, headers: Fields) -> bool:
        hosts = _values(headers, b"host")
        return all(self._allow_origin(origin, hosts) for origin in _values(headers, b"origin"))

    def _cors(self, headers: Fields) -> Fields:
        origins = _values(headers, b"origin")
        if len(origins) != 1 or not self._is_welcome(headers):
            return [(b"vary", b"origin")]
        allowed = (b"access-control-allow-origin", origins[0].encode("latin-1"))
        return [allowed, (b"access-control-allow-credentials", b"true"), (b"vary", b"origin")]


async def _until_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _body_of(receive: Receive, most_bytes: int) -> bytes | None:
    """The whole body; None if it is longer. Raises _Gone if it will never be complete."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += bytes(message.get("body", b""))
        if len(body) > most_bytes:
            return None
        if not message.get("more_body", False):
            return body


def _values(headers: Fields, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]
