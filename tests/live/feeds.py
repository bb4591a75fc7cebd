"""The live feed behind a real door, with a board that the test moves, and clients that read what wsproto reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from actors.connection.connection import ConnectionWorld
from actors.connection.events import ErrorEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.connection.signins import SignIns
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import BoardFull, Channel, Row
from actors.leaderboard.messages import Join, Leave, Update
from actors.ports import ALL_TIME, UserId
from scoreboard.door import DoorLimits
from scoreboard.live import FeedLimits, WebSocketFeed
from tests.connection.feed import nobody_scores
from tests.door.doors import OpenDoor, open_door
from tests.live.described import hold
from tests.live.wire import CLOSE, frame, handshake, text

SUBSCRIBE = text('{"event":"subscribe","data":{"channel":"leaderboard.top10"}}')
TOP10 = Channel(ALL_TIME, 10)


class Boards:
    """In place of the directory of audiences: one board, of which the test says when it is shown."""

    def __init__(self, rows: int = 1) -> None:
        self.watching = Crowd(TOP10, self._count)
        self.delivered = 0
        self.version = 0
        self._rows = tuple(Row(rank, UserId(f"u{rank}"), f"player {rank}", 100, 0) for rank in range(1, rows + 1))
        self.joined = trio.Event()

    def update(self) -> Update:
        """The board as it is now."""
        return Update(BoardFull(TOP10, "e", self.version, self._rows, len(self._rows), 0, 0))

    def show(self) -> None:
        """One step further, for all who watch."""
        self.version += 1
        for _ in self.watching.show(self.update()):
            pass

    async def watched_by(self, count: int) -> None:
        """Wait until so many watch."""
        with trio.fail_after(10):
            while len(self.watching) < count:
                self.joined = trio.Event()
                await self.joined.wait()

    def _count(self, delivered: int) -> None:
        self.delivered += delivered

    async def ask(self, key: str, question: Any, *, within: float) -> None:
        assert isinstance(question, Join)
        self.watching.current = self.watching.current or self.update()
        self.watching.join(question.subscriber)
        self.joined.set()

    def tell(self, key: str, message: Any) -> None:
        assert isinstance(message, Leave)
        self.watching.leave(message.subscriber)


async def who(token: str) -> SignedIn | ErrorEvent:
    """One good token, one that breaks the judge, and all others."""
    if token == "breaks":
        raise RuntimeError("the judge failed")
    if token == "waits":
        await trio.sleep_forever()
    return SignedIn(UserId("u1"), "ann") if token == "good" else ErrorEvent("UNAUTHORIZED", "No.")


class Tickets:
    """In place of the server's: one is good, once."""

    def __init__(self) -> None:
        self.left = {"once"}

    async def redeem(self, ticket: str) -> SignedIn | ErrorEvent:
        """Whose it is."""
        if ticket in self.left:
            self.left.discard(ticket)
            return SignedIn(UserId("u1"), "ann")
        return ErrorEvent("UNAUTHORIZED", "The ticket was used before.")


@dataclass
class OpenFeed:
    """A feed that is being served."""

    opened: OpenDoor
    feed: WebSocketFeed
    boards: Boards
    counts: Counter[str]
    signins: SignIns

    @asynccontextmanager
    async def client(self, path: str = "/ws/leaderboard", **headers: str) -> AsyncGenerator[Client]:
        """One more client, past its handshake."""
        async with await self.opened.connect() as stream:
            await stream.send_all(handshake(path, **headers))
            client = Client(stream, address=path)
            await client.handshake()
            yield client

    async def is_serving(self) -> bool:
        """Whether a new client gets the board."""
        async with self.client() as client:
            await client.stream.send_all(SUBSCRIBE)
            return bool((await client.message())["event"] == "leaderboard.update")


@dataclass
class Client:
    """Reads frames; writes whatever the test wants."""

    stream: trio.abc.Stream
    reader: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    address: str = "/ws/leaderboard"
    _events: list[Event] = field(default_factory=list)

    async def handshake(self) -> bytes:
        """Read the answer to the handshake."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = await self.stream.receive_some()
            assert data, answer
            answer += data
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self._feed(rest)
        return head

    async def message(self) -> Any:
        """The next text message, from JSON; it is as described."""
        parts = ""
        while True:
            event = await self.event()
            assert isinstance(event, TextMessage), event
            parts += event.data
            if event.message_finished:
                said = json.loads(parts)
                hold(self.address, said)
                return said

    async def event(self) -> Event:
        """The next event, whatever it is."""
        while not self._events:
            data = await self.stream.receive_some()
            assert data, "the connection ended without a close frame"
            self._feed(bytes(data))
        return self._events.pop(0)

    async def closed(self) -> int:
        """The code with which the server closes, whatever came before."""
        while True:
            event = await self.event()
            if isinstance(event, CloseConnection):
                return event.code
            assert isinstance(event, TextMessage | Ping)

    async def ended(self) -> None:
        """Wait until the server has hung up."""
        with trio.fail_after(10):
            while await self.stream.receive_some():
                pass

    async def leave(self) -> None:
        """Close in good order."""
        await self.stream.send_all(frame(CLOSE, b"\x03\xe8"))
        assert await self.closed() == 1000

    def _feed(self, data: bytes) -> None:
        if data:
            self.reader.receive_data(data)
            self._events += self.reader.events()


def world_of(
    boards: Boards,
    counts: Counter[str],
    scoring: ScoringWorld | None = None,
    signins: SignIns | None = None,
) -> ConnectionWorld:
    """What connections to these boards need, by whatever transport."""
    return ConnectionWorld(
        audiences=boards,  # type: ignore[arg-type]  # it is asked as one is
        who=who,
        sent=lambda: counts.update(["sent"]),
        skipped=lambda: counts.update(["skipped"]),
        scoring=scoring or nobody_scores(),
        redeem=Tickets().redeem,
        signins=SignIns() if signins is None else signins,
    )


def make_feed(
    boards: Boards,
    counts: Counter[str],
    limits: FeedLimits | None = None,
    scoring: ScoringWorld | None = None,
    signins: SignIns | None = None,
) -> WebSocketFeed:
    """A feed with these boards behind it."""
    world = world_of(boards, counts, scoring, signins)
    return WebSocketFeed(world, limits, allow_origin=lambda origin, _: "good" in origin)


@asynccontextmanager
async def open_feed(
    limits: FeedLimits | None = None,
    *,
    door: DoorLimits | None = None,
    rows: int = 1,
    scoring: ScoringWorld | None = None,
) -> AsyncGenerator[OpenFeed]:
    """Serve on a free port while the body runs."""
    boards, counts = Boards(rows), Counter[str]()
    signins = SignIns()
    feed = make_feed(boards, counts, limits, scoring, signins)
    async with feed.running(), open_door(door or DoorLimits(linger_within_s=0.2), websocket=feed) as opened:
        yield OpenFeed(opened, feed, boards, counts, signins)
    assert feed.connected == 0
    assert not boards.watching
