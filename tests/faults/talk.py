"""A WebSocket of a client, on a stream of our own: trio-websocket's own opener waits for ever if a handshake does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, HandshakeError, WebSocketConnection, wrap_client_stream

from tests.faults.line import Cut

#: How a connection ends that is lost.
BROKEN = (
    Cut,
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    OSError,
    trio.TooSlowError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
)
OPEN_WITHIN_S, CLOSE_WITHIN_S = 5.0, 0.5


class Talk:
    """Messages of JSON both ways. All raise one of BROKEN, alone or in a group, when the connection is lost."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket

    async def say(self, event: str, **fields: Any) -> None:
        """A command."""
        with trio.fail_after(OPEN_WITHIN_S):
            await self._socket.send_message(json.dumps({"event": event, **fields}))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(await self._socket.get_message())
        return message


@asynccontextmanager
async def talk(port: int, token: str | None = None) -> AsyncIterator[Talk]:
    """A connection to the live feed on this machine, signed in if there is a token."""
    headers = [] if token is None else [(b"Authorization", f"Bearer {token}".encode())]
    with trio.fail_after(OPEN_WITHIN_S):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(OPEN_WITHIN_S):
                socket = await wrap_client_stream(
                    nursery, stream, f"127.0.0.1:{port}", "/ws/leaderboard", extra_headers=headers
                )
            yield Talk(socket)
            with trio.move_on_after(CLOSE_WITHIN_S):
                await socket.aclose()
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)
