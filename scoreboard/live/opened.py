"""A WebSocket of trio-websocket whose handshake is over."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import trio
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection, ConnectionState
from wsproto.events import Event, TextMessage

from scoreboard.live.stream import FeedStream
from scoreboard.live.texts import whole_texts


class _NoHandshake:
    """In place of wsproto's, which keeps its parser of requests and all that it has parsed: two kilobytes a client."""

    def events(self) -> Iterator[Event]:
        """None will come."""
        return iter(())


_NO_HANDSHAKE = _NoHandshake()


class Opened(WSConnection):
    """The protocol of a server after its handshake. Whole text messages take a short way past wsproto.

    Args:
        between_messages: Whether what has been received so far ends with a message.
    """

    def __init__(self, between_messages: Callable[[], bool]) -> None:
        self.client = False
        self.handshake = _NO_HANDSHAKE  # type: ignore[assignment]  # as much of one as is asked from now on
        self.connection = self._frames = Connection(ConnectionType.SERVER)
        self._between_messages = between_messages
        self._begins_anew = True
        self._texts: list[str] = []

    def receive_data(self, data: bytes | None) -> None:
        """See wsproto; what its state could matter for goes there."""
        texts = None
        if data and self._begins_anew and self._frames.state is ConnectionState.OPEN:
            texts = whole_texts(data)
        if texts is None:
            self._frames.receive_data(data)
        else:
            self._texts += texts
        self._begins_anew = self._between_messages()

    def events(self) -> Generator[Event]:
        """See wsproto, which is not asked when it was given nothing."""
        if not self._texts:
            yield from self._frames.events()
            return
        texts, self._texts = self._texts, []
        for text in texts:
            yield TextMessage(data=text)


def opened(nursery: trio.Nursery, stream: FeedStream, *, max_message_size: int) -> WebSocketConnection:
    """A connection that reads on in a task of `nursery`, as trio-websocket's own `wrap_server_stream` starts it."""
    protocol = Opened(stream.between_messages)
    websocket = WebSocketConnection(stream, protocol, max_message_size=max_message_size)
    nursery.start_soon(websocket._reader_task)  # noqa: SLF001  # it has no other name, and only its functions start it
    return websocket
