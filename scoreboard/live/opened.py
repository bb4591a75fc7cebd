"""A WebSocket of trio-websocket whose handshake is over."""

from __future__ import annotations

from collections.abc import Iterator

import trio
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import Event


class _NoHandshake:
    """In place of wsproto's, which keeps its parser of requests and all that it has parsed: two kilobytes a client."""

    def events(self) -> Iterator[Event]:
        """None will come."""
        return iter(())


_NO_HANDSHAKE = _NoHandshake()


class _Opened(WSConnection):
    """The protocol of a server after its handshake."""

    def __init__(self) -> None:
        self.client = False
        self.handshake = _NO_HANDSHAKE  # type: ignore[assignment]  # as much of one as is asked from now on
        self.connection = Connection(ConnectionType.SERVER)


def opened(nursery: trio.Nursery, stream: trio.abc.Stream, *, max_message_size: int) -> WebSocketConnection:
    """A connection that reads on in a task of `nursery`, as trio-websocket's own `wrap_server_stream` starts it."""
    websocket = WebSocketConnection(stream, _Opened(), max_message_size=max_message_size)
    nursery.start_soon(websocket._reader_task)  # noqa: SLF001  # it has no other name, and only its functions start it
    return websocket
