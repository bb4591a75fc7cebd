"""Where the client of a WebSocket is, for the audit."""

from __future__ import annotations

import sys
from contextlib import suppress

import trio

from actors.ports import Source
from scoreboard.live.handshake import HandshakeHead
from scoreboard.wire.source import source_of


def client_source(transport: trio.abc.Stream, head: HandshakeHead) -> Source:
    """From its socket, if it has one, and its `User-Agent`."""
    peer = None
    if isinstance(transport, trio.SocketStream):
        with suppress(OSError):  # it has left already
            peer = transport.socket.getpeername()
    agent = next(iter(head.values("user-agent")), None)
    return source_of(peer, None if agent is None else sys.intern(agent))  # many clients have the same one
