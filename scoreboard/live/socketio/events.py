"""The events of a connected client, one after the other, as its connection's actor takes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from actors.connection.commands import BadInput, ClientCommand, Subscribe
from actors.connection.connection import ConnectionDialect, LiveConnection
from actors.leaderboard.events import Channel
from actors.ports import ALL_TIME
from scoreboard.live.socketio.asked import asked
from scoreboard.live.socketio.codecs import ACK, BINARY_ACK, CONNECT, DISCONNECT
from scoreboard.live.socketio.packets import NAMESPACE, BadPacket, SocketPacket, socket_packet
from scoreboard.live.socketio.speech import SPEECH_A, SPEECH_B, Answering, done

#: What a client sees without asking for it, as document A has it.
FIRST = Channel(ALL_TIME, 10)
_INVALID = "INVALID_INPUT"


class Events:
    """Until the client disconnects from Socket.IO, or its session ends.

    Begins with what document A's clients expect unasked. With the first `subscribe` the client turns out to be one of
    document B, and from then on gets only what it subscribes to, in B's words. When the next command is asked for, the
    one before has been worked on: if its client awaits an answer and none was given, it is given now.

    Args:
        next_message: The next message of the client.
        connect: Makes the actor of the client, which speaks so to begin with.
        send: Sends frames to the client; waits.
        elsewhere: Is told of a packet that is for another namespace.
        full: Whether document A's board comes whole every time.
    """

    def __init__(
        self,
        next_message: Callable[[], Awaitable[str | bytes]],
        connect: Callable[[ConnectionDialect], LiveConnection],
        send: Callable[[bytes], Awaitable[None]],
        elsewhere: Callable[[SocketPacket], Awaitable[None]],
        *,
        full: bool,
    ) -> None:
        self._next_message = next_message
        self._send = send
        self._elsewhere = elsewhere
        self._first: ClientCommand | None = Subscribe(FIRST, full=full)
        self._attachments = 0
        self._by_b = False
        self._speech = Answering(SPEECH_A)
        self.connection = connect(self._speech)

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> ClientCommand:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        await self._acknowledge()
        while True:
            command = await self._next()
            if command is not None:
                return command

    async def _next(self) -> ClientCommand | None:
        """None for what is no command, and asks for nothing."""
        try:
            message = await self._next_message()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        if isinstance(message, bytes):
            return self._binary()
        try:
            packet = socket_packet(message)
        except BadPacket as error:
            return BadInput(_INVALID, str(error))
        if packet.namespace != NAMESPACE:
            await self._elsewhere(packet)
            return None
        if packet.packet_type == DISCONNECT:
            raise StopAsyncIteration
        return self._read(packet)

    def _read(self, packet: SocketPacket) -> ClientCommand | None:
        self._attachments = packet.attachment_count
        if packet.packet_type in (ACK, BINARY_ACK):
            return None  # to a question that was never asked
        if packet.packet_type == CONNECT:
            return BadInput(_INVALID, "You are connected already.")
        command = asked(packet)
        if isinstance(command, Subscribe) and not self._by_b:
            self._by_b, self._speech = True, Answering(SPEECH_B)
            self.connection.speak(self._speech)
        if getattr(command, "id", None) is None:
            self._speech.awaited = packet.id
        return command

    def _binary(self) -> ClientCommand | None:
        """An attachment of an event that was refused already; or one of nothing."""
        if self._attachments:
            self._attachments -= 1
            return None
        return BadInput(_INVALID, "Events are JSON here; this message is binary.")

    async def _acknowledge(self) -> None:
        name, self._speech.awaited = self._speech.awaited, None
        if name is not None:
            await self._send(done(name))
