"""Socket.IO behind a real door, with a board that the test moves, and clients that say whatever the test wants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import trio
import trio.lowlevel
from wsproto.events import TextMessage

from actors.connection.signins import SignIns
from scoreboard.door import DoorLimits
from scoreboard.live.socketio import SocketIo, SocketIoLimits, SocketIoWorld
from scoreboard.live.socketio.packets import SEPARATOR
from tests.door.doors import OpenDoor, open_door
from tests.live.described import hold_packet
from tests.live.feeds import Boards, Client, world_of
from tests.live.wire import handshake, text

PATH = "/socket.io/?EIO=4&transport="
HELLO = "40"


@dataclass
class OpenSocketIo:
    """What is being served."""

    opened: OpenDoor
    service: SocketIo
    boards: Boards
    counts: Counter[str]
    failures: list[BaseException]
    http: httpx.AsyncClient
    signins: SignIns

    async def begin(self, **headers: str) -> Poller:
        """One more client that polls, past its handshake."""
        answer = await self.http.get(PATH + "polling", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.text.startswith("0")
        told = json.loads(answer.text[1:])
        return Poller(self.http, told["sid"], told)

    @asynccontextmanager
    async def socket(self, sid: str | None = None, **headers: str) -> AsyncGenerator[Talker]:
        """One more WebSocket, past its handshake; the first packet of a new session is read."""
        tail = "" if sid is None else f"&sid={sid}"
        async with await self.opened.connect() as stream:
            await stream.send_all(handshake(f"{PATH}websocket{tail}", **headers))
            client = Talker(stream)
            await client.handshake()
            if sid is None:
                client.told = json.loads((await client.packet())[1:])
            yield client

    async def is_serving(self) -> bool:
        """Whether a new client gets the board."""
        async with self.socket() as client:
            await client.say(HELLO)
            assert (await client.packet()).startswith("40")
            return (await client.packet()).startswith('42["leaderboard_update"')


@dataclass
class Poller:
    """A client that polls."""

    http: httpx.AsyncClient
    sid: str
    told: dict[str, Any]
    got: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{PATH}polling&sid={self.sid}"

    async def poll(self) -> list[str]:
        """The packets of one request."""
        answer = await self.http.get(self.address)
        assert answer.status_code == 200, answer.text
        packets = answer.text.split(SEPARATOR)
        for packet in packets:
            hold_packet(packet)
        self.got += packets
        return packets

    def poll_in(self, nursery: trio.Nursery) -> list[list[str]]:
        """Poll in a task of its own; the packets stand in the list once they have come."""
        answers: list[list[str]] = []

        @nursery.start_soon
        async def polling() -> None:
            answers.append(await self.poll())

        return answers

    async def say(self, *packets: str) -> httpx.Response:
        """These packets in one request."""
        return await self.http.post(self.address, content=SEPARATOR.join(packets).encode())

    async def until(self, beginning: str) -> str:
        """Poll until such a packet comes."""
        while True:
            for packet in await self.poll():
                if packet.startswith(beginning):
                    return packet

    async def connect(self) -> None:
        """Past Socket.IO's own handshake, up to the first board."""
        assert (await self.say(HELLO)).text == "ok"
        await self.until('42["leaderboard_update"')


@dataclass
class Talker(Client):
    """A client on a WebSocket."""

    told: dict[str, Any] = field(default_factory=dict)

    async def say(self, *packets: str) -> None:
        """A message each."""
        await self.stream.send_all(b"".join(text(packet) for packet in packets))

    async def packet(self) -> str:
        """The next message."""
        event = await self.event()
        assert isinstance(event, TextMessage), event
        assert event.message_finished
        hold_packet(event.data)
        return str(event.data)

    async def event_of(self, name: str) -> Any:
        """The data of the next event of that name."""
        while True:
            packet = await self.packet()
            if packet.startswith(f'42["{name}"'):
                return [*json.loads(packet[2:]), None][1]

    async def connect(self, auth: str = "") -> None:
        """Past Socket.IO's own handshake, up to the first board."""
        await self.say(HELLO + auth)
        await self.event_of("leaderboard_update")


@asynccontextmanager
async def open_socketio(
    limits: SocketIoLimits | None = None, *, rows: int = 1, door: DoorLimits | None = None
) -> AsyncGenerator[OpenSocketIo]:
    """Serve on a free port while the body runs."""
    boards, counts, failures = Boards(rows), Counter[str](), list[BaseException]()
    connection = world_of(boards, counts)
    world = SocketIoWorld(
        connection, limits or SocketIoLimits(), failures.append, lambda reason: counts.update([reason])
    )
    service = SocketIo(world, lambda address: address, lambda origin, _: "good" in origin, _counted(counts))
    door = door or DoorLimits(linger_within_s=0.2)
    async with open_door(door, application=service.application, websocket=service.sockets) as opened:
        base = f"http://127.0.0.1:{opened.port}"
        async with (
            service.running(opened.door.closing),
            httpx.AsyncClient(base_url=base, timeout=10.0, trust_env=False) as http,
        ):
            yield OpenSocketIo(opened, service, boards, counts, failures, http, connection.signins)
    assert service.connected == 0
    assert not boards.watching


def _counted(counts: Counter[str]) -> Any:
    def served(method: str, path: str, status: int, seconds: float) -> None:
        counts.update([f"{method} {path} {status}"])

    return served


async def until(fact: Any) -> None:
    """Wait until something is true, within reason; what makes it true is another task's turn."""
    with trio.fail_after(10):
        while not fact():
            await trio.lowlevel.checkpoint()
