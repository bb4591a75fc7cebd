"""The way of a WebSocket: of a session from its beginning, or from the moment at which polling ends."""

from __future__ import annotations

from functools import partial

import trio

from actors.connection.events import SESSION_ENDED
from scoreboard.live.client_source import client_source
from scoreboard.live.ending import GOING_AWAY, INTERNAL_ERROR, NORMAL, RENEWED, close, code_of, return_after, talk
from scoreboard.live.guard import FrameGuard
from scoreboard.live.handshake import AllowOrigin, HandshakeHead, Rejection, judge
from scoreboard.live.inbox import Inbox
from scoreboard.live.opened import opened
from scoreboard.live.socketio.engine import End, Way
from scoreboard.live.socketio.query import Query, query_of
from scoreboard.live.socketio.refusals import CLOSING, FORBIDDEN, FULL, UNKNOWN_SID, EngineRefusal, bad_request
from scoreboard.live.socketio.session import RequestRefused, Session, Socket
from scoreboard.live.socketio.sessions import Sessions
from scoreboard.live.socketio.world import SocketIoLimits
from scoreboard.live.stream import FeedStream

_PROTOCOL_ERROR, _POLICY = 1002, 1008
_CODES = {
    End.OVER: GOING_AWAY,
    End.RENEWED: RENEWED,
    End.SIGNED_OUT: SESSION_ENDED,
    End.BROKEN: _PROTOCOL_ERROR,
    End.FAST: _POLICY,
    End.SILENT: _POLICY,
    End.SLOW: _POLICY,
    End.FAILED: INTERNAL_ERROR,
}
_Refused = Rejection | EngineRefusal


class SocketIoSockets:
    """Serves the connections that the door hands over.

    Args:
        sessions: All there are.
        limits: Bounds.
        allow_origin: Whether a page of an origin may ask.
    """

    def __init__(self, sessions: Sessions, limits: SocketIoLimits, allow_origin: AllowOrigin) -> None:
        self._sessions = sessions
        self._limits = limits
        self._allow_origin = allow_origin

    async def __call__(self, transport: trio.abc.Stream, head: HandshakeHead, _closing: trio.Event) -> None:
        """Serve one client. The transport stays open for its owner to close."""
        admitted = self._admit(transport, head)
        if isinstance(admitted, _Refused):
            with trio.move_on_after(self._limits.close_within_s):
                await transport.send_all(admitted.response())
            return
        answer, session, begins = admitted
        guard = FrameGuard(self._limits.frames, client_source(transport, head).address)
        stream = FeedStream(transport, head.rest, guard)
        del head, admitted  # a client stays for hours
        try:
            await talk(stream, answer, partial(self._converse, stream, session, begins=begins), self._limits)
        finally:
            if begins:  # it has no other way
                session.end(End.GONE)

    def _admit(self, transport: trio.abc.Stream, head: HandshakeHead) -> _Refused | tuple[bytes, Session, bool]:
        query = query_of(head.query)
        if isinstance(query, EngineRefusal):
            return query
        verdict = judge(head, head.path, self._allow_origin)
        if isinstance(verdict, Rejection):
            return FORBIDDEN if verdict.status == FORBIDDEN.status else verdict
        if query.way is not Way.WEBSOCKET:
            return bad_request("A WebSocket is the transport websocket.")
        found = self._session(query, transport, head)
        return found if isinstance(found, EngineRefusal) else (verdict.answer, found, query.sid is None)

    def _session(self, query: Query, transport: trio.abc.Stream, head: HandshakeHead) -> Session | EngineRefusal:
        if query.sid is not None:
            return self._sessions.find(query.sid) or UNKNOWN_SID
        begun = self._sessions.begin(Way.WEBSOCKET, client_source(transport, head))
        return begun or (CLOSING if self._sessions.is_closing else FULL)

    async def _converse(self, stream: FeedStream, session: Session, *, begins: bool) -> int:
        """The close code with which it ended, or should end if nobody has said so yet."""
        stream.allow_pauses()
        async with trio.open_nursery() as nursery:
            longest = self._limits.message_bytes
            take_over = partial(opened, nursery, stream, max_message_size=longest)
            inbox = Inbox(stream, take_over, longest, _as_it_came)
            socket = Socket(stream, trio.CancelScope())
            try:
                with socket.scope:
                    await self._listen(inbox, session, socket, begins=begins)
            finally:
                session.detach(socket)
            code = _CODES.get(session.why_over or End.LEFT, NORMAL)
            reason = return_after(self._sessions.back_after_s()) if code == RENEWED else ""
            websocket = await close(stream, inbox, code, self._limits, reason)
            nursery.cancel_scope.cancel()
        return code_of(stream, websocket, code)

    async def _listen(self, inbox: Inbox[str | bytes], session: Session, socket: Socket, *, begins: bool) -> None:
        if begins:
            await session.open_on(socket)
        else:
            try:
                session.attach(socket)
            except RequestRefused:
                return
        async for message in inbox:
            await session.heard(message, socket)


def _as_it_came(message: str | bytes) -> str | bytes:
    return message
