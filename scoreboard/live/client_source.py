"""Where the client of a WebSocket is, for the audit."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import trio

from actors.ports import Source
from scoreboard.live.endpoint import OverEndpoint
from scoreboard.live.handshake import HandshakeHead
from scoreboard.wire.source import source_of


def client_source(transport: trio.abc.Stream, head: HandshakeHead) -> Source:
    """From what a proxy of ours said, or its socket, if it has one, and its `User-Agent`."""
    peer: Any = None if head.client is None else (head.client, 0)
    if peer is None and isinstance(transport, trio.SocketStream | OverEndpoint):
        with suppress(OSError):  # it has left already
            peer = transport.socket.getpeername()
    agent = next(iter(head.values("user-agent")), None)
    return source_of(peer, None if agent is None else sys.intern(agent))  # many clients have the same one
