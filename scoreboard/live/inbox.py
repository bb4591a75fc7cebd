"""What a client of a WebSocket says, message by message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from scoreboard.live.stream import FeedStream
from scoreboard.live.texts import whole_texts

M = TypeVar("M")


class Inbox(Generic[M]):
    """Every message of a client, as `read` reads it, until the connection closes.

    Whole text messages are read by the very task that wants them: no other task, no queue, no state machine. With the
    first other thing (a fragment, a ping, a close frame) trio-websocket takes over for good, from that very byte on.
    Then a message waits in its queue of one and nowhere else; before, those of one read wait here. Who takes them
    slowly slows its client down. A client that goes without a word needs no trio-websocket: when thousands do at one
    moment, to make one for each would be most of the work.

    Args:
        stream: The bytes of the client, which nobody else reads until `take_over` is called.
        take_over: Begins to read with trio-websocket. It is called once at most.
        message_bytes: A message that is longer is judged by trio-websocket.
        read: What is handed on of a message.
    """

    __slots__ = ("_message_bytes", "_read_message", "_stream", "_take_over", "_texts", "_websocket", "has_ended")

    def __init__(
        self,
        stream: FeedStream,
        take_over: Callable[[], WebSocketConnection],
        message_bytes: int,
        read: Callable[[str | bytes], M],
    ) -> None:
        self._stream = stream
        self._read_message = read
        self._take_over = take_over
        self._message_bytes = message_bytes
        self._texts: list[str] = []  # the newest stands first; a deque would cost each client 700 bytes
        self._websocket: WebSocketConnection | None = None
        self.has_ended = False  # without a close frame; there is nothing left to read for trio-websocket either

    def __aiter__(self) -> Inbox[M]:
        return self

    async def __anext__(self) -> M:
        while not self._texts and not self.has_ended and self._websocket is None:
            await self._read()
        if self._texts:
            return self._read_message(self._texts.pop())
        if self.has_ended:
            raise StopAsyncIteration
        try:
            return self._read_message(await self.websocket().get_message())
        except ConnectionClosed:
            raise StopAsyncIteration from None

    def websocket(self) -> WebSocketConnection:
        """trio-websocket's connection, which reads from now on."""
        if self._websocket is None:
            self._websocket = self._take_over()
        return self._websocket

    async def _read(self) -> None:
        try:
            data = await self._stream.receive()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            self.has_ended = True
            return
        texts = whole_texts(data)
        if texts is None or (len(data) > self._message_bytes and self._any_longer(texts)):
            self._stream.unread(data)
            self.websocket()
        else:
            texts.reverse()
            self._texts = texts

    def _any_longer(self, texts: list[str]) -> bool:
        return any(len(text) > self._message_bytes for text in texts)
