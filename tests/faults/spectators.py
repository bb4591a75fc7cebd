"""Those who watch, come back when they are cut off, and write down everything that they see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Any, Protocol

import trio

from tests.faults.journal import Journal, Screen
from tests.faults.line import Cut, Line
from tests.faults.screen import Board, Elsewhere
from tests.faults.sessions import polling_session, socket_session
from tests.faults.talk import BROKEN, talk

#: Nothing at all for so long, not even a ping, and one looks whether the server is still there.
SILENT_S = 4.0
BOARD_EVENTS = ("leaderboard.update", "leaderboard.diff")


class Socket(Protocol):
    """Messages both ways, see `Talk`."""

    async def say(self, event: str, *, data: Any = None) -> None:
        """A command."""
        ...

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        ...


Opened = Callable[[int], AbstractAsyncContextManager[Socket]]


class Spectator(Protocol):
    """Somebody who watches."""

    name: str
    boards: dict[str, Board]

    async def watch(self) -> None:
        """Until it is cancelled."""
        ...


class _Watching:
    """What all of them do, however they are connected."""

    def __init__(self, name: str, port: int, channels: Sequence[str], journal: Journal, rng: Random) -> None:
        self.name = name
        self.boards = {channel: Board() for channel in channels}
        self._port = port
        self._journal = journal
        self._rng = rng
        self._connection = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, connection {self._connection}>"

    async def watch(self) -> None:
        """Come back with a pause, for ever."""
        while True:
            self._connection += 1
            try:
                await self._connected()
            except* BROKEN as error:
                self._journal.lose(self.name, error.exceptions[0])
            await trio.sleep(self._rng.uniform(0.05, 0.5))

    async def _connected(self) -> None:
        raise NotImplementedError

    def _take(self, message: dict[str, Any]) -> str | None:
        """Show a frame; the channel of which a fresh snapshot is needed, if one is."""
        event, data = message["event"], message.get("data") or {}
        if event == "error":
            self._journal.note("error", who=self.name, **data)
            return data.get("channel")
        if event not in BOARD_EVENTS:
            return None
        channel: str = data["channel"]
        board = self.boards[channel]
        try:
            if board.take(event, data):
                self._journal.see(
                    Screen(
                        self.name, channel, self._connection, board.epoch, board.version, board.rows, board.total_users
                    )
                )
        except Elsewhere as error:
            self._journal.wonder(f"{self.name} was sent what does not go on from its {channel}: {error}")
            return channel
        return None


class WebSocketSpectator(_Watching):
    """On the live socket."""

    _opened: Opened = staticmethod(talk)
    #: What is said when subscribing, beside the channel.
    _wish: Mapping[str, object] = {}

    async def _connected(self) -> None:
        async with self._opened(self._port) as socket:
            self._journal.note("connected", who=self.name, connection=self._connection)
            for channel in self.boards:
                await self._subscribe(socket, channel)
            async for message in self._messages(socket):
                if (behind := self._take(message)) is not None:
                    await trio.sleep(self._rng.uniform(0.05, 0.2))
                    await self._subscribe(socket, behind)

    async def _subscribe(self, socket: Socket, channel: str) -> None:
        await socket.say("subscribe", data={"channel": channel, **self._wish})

    async def _messages(self, socket: Socket) -> AsyncIterator[dict[str, Any]]:
        """What comes; who hears nothing for a while asks, and goes when that is not answered."""
        asked = False
        while True:
            message = None
            with trio.move_on_after(SILENT_S):
                message = await socket.hear()
            if message is not None:
                asked = False
                yield message
            elif asked:
                raise Cut(f"nothing for {2 * SILENT_S:g} s")
            else:
                asked = True
                await socket.say("ping")


class SocketIoSpectator(WebSocketSpectator):
    """In a session of Socket.IO, by a WebSocket; shown whole boards."""

    _opened = staticmethod(socket_session)


class PollingSpectator(WebSocketSpectator):
    """The same by polling, and with what changes alone."""

    _opened = staticmethod(polling_session)
    _wish: Mapping[str, object] = {"full": False}


class EventStreamSpectator(_Watching):
    """By server-sent events, going on where it was."""

    def __init__(self, name: str, port: int, channels: Sequence[str], journal: Journal, rng: Random) -> None:
        super().__init__(name, port, channels, journal, rng)
        self._last_id = ""

    async def _connected(self) -> None:
        line = await Line.to(self._port)
        asked = "&".join(f"channel={channel}" for channel in self.boards)
        known = {"Last_Event_ID": self._last_id} if self._last_id else {}
        said = b""
        async for piece in line.stream(f"/api/v1/leaderboard/stream?{asked}", **known):
            said += piece
            *events, said = said.split(b"\n\n")
            for event in events:
                if self._heard(event.decode()) is not None:
                    self._last_id = ""
                    raise Cut("a fresh stream is needed")

    def _heard(self, event: str) -> str | None:
        fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line and not line.startswith(":"))
        self._last_id = fields.get("id", self._last_id)
        if "data" not in fields:
            return None
        return self._take({"event": fields["event"], "data": json.loads(fields["data"])})
