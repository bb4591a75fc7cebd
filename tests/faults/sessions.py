"""Sessions of Socket.IO, by a WebSocket or by polling, with the words of a `Talk`; polls go to any of the workers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

from tests.faults.line import Cut, Line
from tests.faults.talk import CLOSE_WITHIN_S, OPEN_WITHIN_S

PATH = "/socket.io/?EIO=4&transport="
#: Packets of Engine.IO, and with a message of Socket.IO in it.
PING, PONG, CONNECT, CONNECTED, EVENT, CLOSE = "2", "3", "40", "40", "42", "1"
SEPARATOR = "\x1e"
POLL_S = 12.0


def message_in(packet: str) -> dict[str, Any] | None:
    """What a packet says; None if that is for the session alone. Raises Cut at its end."""
    if packet.startswith((CLOSE, "41")):
        raise Cut(f"the session ended: {packet}")
    if packet.startswith(EVENT):
        event, *data = json.loads(packet[len(EVENT) :])
        return {"event": event, "data": data[0] if data else {}}
    return {"event": "ping"} if packet == PING else None


def packet_of(event: str, data: object) -> str:
    """An event with one argument."""
    return EVENT + json.dumps([event, data])


class SocketSession:
    """On a WebSocket."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket

    async def begin(self) -> None:
        """It is opened by the server, and connected by us."""
        with trio.fail_after(OPEN_WITHIN_S):
            await self._socket.get_message()
            await self._socket.send_message(CONNECT)
            while not str(await self._socket.get_message()).startswith(CONNECTED):
                pass

    async def say(self, event: str, data: object = None) -> None:
        """A command; pings are answered, and not sent."""
        if event != "ping":
            with trio.fail_after(OPEN_WITHIN_S):
                await self._socket.send_message(packet_of(event, data))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        while True:
            packet = str(await self._socket.get_message())
            message = message_in(packet)
            if packet == PING:
                await self._socket.send_message(PONG)
            if message is not None:
                return message


class PollingSession:
    """Requests, each on a connection of its own. It ends with one that is given up: the answer may be on its way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._path = f"{PATH}polling"
        self._heard: deque[str] = deque()
        self._given_up = False

    async def begin(self) -> None:
        """See `SocketSession`. Raises Cut."""
        opened = await self._ask("GET", "")
        self._path += f"&sid={json.loads(opened[1:])['sid']}"
        await self._ask("POST", CONNECT)
        while not (await self._packet()).startswith(CONNECTED):
            pass

    async def say(self, event: str, data: object = None) -> None:
        """See `SocketSession`. Raises Cut."""
        if event != "ping":
            await self._ask("POST", packet_of(event, data))

    async def hear(self) -> dict[str, Any]:
        """The next message. Raises Cut."""
        while True:
            packet = await self._packet()
            message = message_in(packet)
            if packet == PING:
                await self._ask("POST", PONG)
            if message is not None:
                return message

    async def _packet(self) -> str:
        while not self._heard:
            self._heard.extend(filter(None, (await self._ask("GET", "")).split(SEPARATOR)))
        return self._heard.popleft()

    async def _ask(self, method: str, packet: str) -> str:
        if self._given_up:
            raise Cut("a request was given up, and what it would have told is lost")
        line = await Line.to(self._port)
        self._given_up = True
        try:
            answer = await line.ask(method, self._path, packet.encode() or None, within_s=POLL_S)
        finally:
            line.hang_up()
        self._given_up = False
        if answer.status != 200:
            raise Cut(f"a poll is answered {answer.status} {answer.body!r}")
        return answer.body.decode()


@asynccontextmanager
async def socket_session(port: int) -> AsyncIterator[SocketSession]:
    """By a WebSocket. Raises one of BROKEN, alone or in a group."""
    with trio.fail_after(OPEN_WITHIN_S):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(OPEN_WITHIN_S):
                socket = await wrap_client_stream(nursery, stream, f"127.0.0.1:{port}", f"{PATH}websocket")
            session = SocketSession(socket)
            await session.begin()
            yield session
            with trio.move_on_after(CLOSE_WITHIN_S):
                await socket.aclose()
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def polling_session(port: int) -> AsyncIterator[PollingSession]:
    """By polling. Raises one of BROKEN."""
    session = PollingSession(port)
    await session.begin()
    yield session
