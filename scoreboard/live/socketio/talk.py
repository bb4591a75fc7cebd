"""What a client says once its session has begun: it connects to Socket.IO, talks, leaves, and may connect again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from actors.connection.connection import ConnectionDialect, LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.ports import Source
from scoreboard.live.commands import without_bearer
from scoreboard.live.proof import proven
from scoreboard.live.socketio.codecs import CONNECT, CONNECT_ERROR
from scoreboard.live.socketio.engine import End
from scoreboard.live.socketio.events import Events
from scoreboard.live.socketio.outbox import Outbox
from scoreboard.live.socketio.packets import NAMESPACE, BadPacket, SocketPacket, message, socket_packet
from scoreboard.live.socketio.places import Place
from scoreboard.live.socketio.speech import framed
from scoreboard.live.socketio.world import SocketIoWorld

_LATE = ErrorEvent("SERVICE_UNAVAILABLE", "You cannot be signed in just now. Try again.")


class Talk:
    """One of a session, which hands it what has come (`receive`) and sends what it puts into `outbox`."""

    def __init__(
        self,
        world: SocketIoWorld,
        outbox: Outbox,
        receive: Callable[[], Awaitable[str | bytes]],
        place: Place,
        source: Source,
    ) -> None:
        self._world = world
        self._outbox = outbox
        self._receive = receive
        self._place = place
        self._source = source

    async def run(self, helpers: trio.Nursery) -> End:
        """Until the client breaks the protocol or does not connect in time; what ends it otherwise is raised."""
        while True:
            text: str | bytes | None = None
            with trio.move_on_after(self._world.limits.connect_within_s):
                text = await self._receive()
            if text is None:
                self._world.refused("never_connected")
                return End.SILENT
            try:
                packet = socket_packet(text) if isinstance(text, str) else None
            except BadPacket:
                packet = None
            if packet is None or packet.packet_type != CONNECT:
                return End.BROKEN
            if packet.namespace != NAMESPACE:
                await self._refuse_namespace(packet)
            else:
                await self._connect(packet.data, helpers)

    async def _connect(self, auth: Any, helpers: trio.Nursery) -> None:
        who = await self._judge(auth)
        if isinstance(who, ErrorEvent):
            told = {"message": f"Authentication failed: {who.message}", "data": {"code": who.code}}
            await self._send(message(CONNECT_ERROR, told))
            return
        self._place.connected()
        await self._send(message(CONNECT, {"sid": self._world.new_id()}))

        def connect(speech: ConnectionDialect) -> LiveConnection:
            return LiveConnection(self._outbox, speech, self._world.connection, who, self._source)

        full = not isinstance(auth, dict) or auth.get("full") is not False
        events = Events(self._receive, connect, self._outbox.send, self._refuse_namespace, full=full)
        await events.connection.run(events, helpers)
        self._place.disconnected()

    async def _judge(self, auth: Any) -> SignedIn | ErrorEvent | None:
        """Who it is; None for a spectator."""
        shown = auth if isinstance(auth, dict) else {}
        token, ticket = shown.get("token") or None, shown.get("ticket") or None
        if not all(each is None or isinstance(each, str) for each in (token, ticket)):
            return ErrorEvent("INVALID_INPUT", "The token in auth must be a text, and so must the ticket.")
        with trio.move_on_after(self._world.connection.within_s):
            return await proven(self._world.connection, None if token is None else without_bearer(token), ticket)
        return _LATE

    async def _refuse_namespace(self, packet: SocketPacket) -> None:
        if packet.packet_type == CONNECT:
            told = {"message": "Invalid namespace"}
            await self._send(message(CONNECT_ERROR, told, namespace=packet.namespace or NAMESPACE))

    async def _send(self, packet: str) -> None:
        await self._outbox.send(framed(packet))
