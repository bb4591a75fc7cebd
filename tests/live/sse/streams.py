"""Streams of events behind a real door, with a board that the test moves, and clients that read as browsers do."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

from actors.connection.signins import SignIns
from scoreboard.live.sse import PATH, EventFeed, EventFeedLimits
from tests.door.doors import OpenDoor, open_door, read_all
from tests.live.described import hold
from tests.live.feeds import Boards, world_of

TOP10 = "?channel=leaderboard.top10"


def request(query: str = TOP10, method: str = "GET", **headers: str) -> bytes:
    """A request for a stream."""
    fields = {"host": "x", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {PATH}{query} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


@dataclass
class Reader:
    """Reads a stream as the specification says: `last_id` and `retry_ms` are what a browser would remember."""

    stream: trio.abc.Stream
    head: str = ""
    last_id: str = ""
    retry_ms: int = 0
    comments: int = 0
    data: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        """Read the head of the answer."""
        while b"\r\n\r\n" not in self.data:
            self.data += await self._more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        assert self.head.startswith("HTTP/1.1 200 "), self.head

    async def event(self) -> tuple[str, Any]:
        """The next event and its data."""
        while True:
            while b"\n" not in self.data:
                self.data += await self._more()
            line, _, self.data = self.data.partition(b"\n")
            event = self._line(line.decode())
            if event is not None:
                return event

    def _line(self, line: str) -> tuple[str, Any] | None:
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            self.comments += 1
        elif name == "retry":
            self.retry_ms = int(value)
        elif line:
            self.fields[name] = value
        else:
            fields, self.fields = self.fields, {}
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                said = {"event": fields["event"], "data": json.loads(fields["data"])}
                hold(PATH, said)
                return said["event"], said["data"]
        return None

    async def rest(self) -> str:
        """All that comes until the end."""
        return (self.data + await read_all(self.stream)).decode()  # type: ignore[arg-type]  # any stream ends

    async def _more(self) -> bytes:
        data = await self.stream.receive_some()
        assert data, "the stream has ended"
        return bytes(data)


@dataclass
class OpenStreams:
    """Streams that are being served."""

    opened: OpenDoor
    feed: EventFeed
    boards: Boards
    counts: Counter[str]
    signins: SignIns

    @asynccontextmanager
    async def reader(self, query: str = TOP10, **headers: str) -> AsyncGenerator[Reader]:
        """One more client, past the head of its answer."""
        async with await self.opened.connect() as stream:
            await stream.send_all(request(query, **headers))
            reader = Reader(stream)
            await reader.begin()
            yield reader

    async def answer(self, sent: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of what is no stream."""
        head, _, body = (await self.opened.talk(sent)).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, json.loads(body) if body else None


@asynccontextmanager
async def open_streams(limits: EventFeedLimits | None = None) -> AsyncGenerator[OpenStreams]:
    """Serve on a free port while the body runs."""
    boards, counts = Boards(), Counter[str]()
    world = world_of(boards, counts)
    feed = EventFeed(
        world,
        limits or EventFeedLimits(),
        lambda origin, _: "good" in origin,
        lambda: 1_761_820_200_123_456,
        random.Random(0),
        served=lambda method, path, status, _: counts.update([f"{method} {path} {status}"]),
    )
    async with feed.running(), open_door(streams={PATH: feed}) as opened:
        yield OpenStreams(opened, feed, boards, counts, world.signins)
    assert feed.connected == 0
    assert not boards.watching
