"""Connections over scripted transports, in front of a real board with real audiences."""

from __future__ import annotations

import pickle
import random
from collections.abc import AsyncIterator, Callable, Container, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import trio

from actors.connection.commands import ClientCommand
from actors.connection.connection import ConnectionWorld, LiveConnection
from actors.connection.events import ErrorEvent, PersonalEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.connection.screen import Screen
from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel
from actors.ports import UserId
from actors.runtime import Directory
from tests.leaderboard.naive import Client
from tests.leaderboard.stage import Pickles, Stage, running_stage

Event = BoardEvent | PersonalEvent


class PersonalPickles(Pickles):
    """Knows what is said to one client alone, too."""

    def personal(self, event: PersonalEvent) -> bytes:
        return pickle.dumps((event,))


class Wire:
    """A transport with room for `room` writes; a client that reads makes room. `broken` is raised by everything.

    With `tears` the next direct write takes the beginning only, as of a socket that is nearly full.
    """

    def __init__(self, room: float = float("inf")) -> None:
        self.room = room
        self.lies = False
        self.tears = False
        self.trusted = False
        self.dismissed: int | None = None
        self.broken: Exception | None = None
        self.taken: list[bytes] = []
        self.refusals = 0
        self.drains = 0
        self._read = trio.Event()
        self._torn = b""
        self._rest = b""
        self._busy: Callable[[], None] = lambda: None

    @property
    def direct(self) -> Callable[[bytes], int] | None:
        return None if self._rest else self._send

    def _send(self, frames: bytes) -> int:
        assert not self._rest, "written in the middle of another frame"
        if self.broken is not None:
            raise self.broken
        if self.room <= 0:
            raise BlockingIOError
        if self.tears:
            self.tears, self._torn = False, frames[:10]
            self.room = 0
            return 10
        self.room -= 1
        self.taken.append(frames)
        return len(frames)

    def when_busy(self, busy: Callable[[], None]) -> None:
        self._busy = busy

    def finish(self, rest: bytes) -> None:
        self._rest = rest
        self._busy()

    def write_now(self, frames: bytes) -> bool:
        if self.broken is not None:
            raise self.broken
        if self.room <= 0 or self._rest:
            self.refusals += 1
            return False
        self.room -= 1
        self.taken.append(frames)
        return True

    async def drained(self) -> None:
        self.drains += 1
        await trio.lowlevel.checkpoint()
        while self.room <= 0 and not self.lies:
            await self._read.wait()
        if self._rest:
            self.taken.append(self._torn + self._rest)
            self._rest = b""

    async def send(self, frames: bytes) -> None:
        if self.room <= 0:
            self._busy()
        await self.drained()
        if self.broken is not None:
            raise self.broken
        self.room -= 1
        self.taken.append(frames)

    def trust(self) -> None:
        self.trusted = True

    def dismiss(self, code: int, reason: str) -> None:
        self.dismissed = code

    def read(self, writes: float = float("inf")) -> None:
        """The client takes so many writes, so that as many more fit."""
        self.room = writes
        self._read.set()
        self._read = trio.Event()

    def stop_reading(self) -> None:
        self.room = 0

    @property
    def events(self) -> list[Event]:
        return [event for frames in self.taken for event in pickle.loads(frames)]


@dataclass
class Viewer:
    """One client: says commands, and keeps what it is shown of each channel."""

    wire: Wire
    say: trio.MemorySendChannel[ClientCommand]
    connection: LiveConnection
    scope: trio.CancelScope
    ended: trio.Event = field(default_factory=trio.Event)
    error: BaseException | None = None

    @property
    def events(self) -> list[Event]:
        return self.wire.events

    @property
    def screen(self) -> Screen:
        """What its audiences call."""
        return self.connection._screen

    def boards(self, channel: Channel) -> list[BoardFull | BoardDiff]:
        """The snapshots and differences of one channel, in order."""
        events = [event for event in self.events if isinstance(event, BoardFull | BoardDiff)]
        return [event for event in events if event.channel == channel]

    def client(self, channel: Channel) -> Client:
        """The page's state of one channel."""
        client = Client()
        for event in self.boards(channel):
            client.take(event)
        return client

    def shape(self, channel: Channel) -> str:
        """F for each snapshot, d for each difference."""
        return "".join("F" if isinstance(event, BoardFull) else "d" for event in self.boards(channel))


@dataclass
class Feed:
    """The parts, and the verbs of tests."""

    stage: Stage
    world: ConnectionWorld
    dialect: PersonalPickles
    nursery: trio.Nursery
    sent: int = 0
    skipped: int = 0
    ended: set[str] = field(default_factory=set)

    def connect(self, room: float = float("inf"), user: SignedIn | None = None) -> Viewer:
        wire = Wire(room)
        say, commands = trio.open_memory_channel[ClientCommand](1000)
        viewer = Viewer(wire, say, LiveConnection(wire, self.dialect, self.world, user), trio.CancelScope())
        self.nursery.start_soon(self._run, viewer, commands)
        return viewer

    async def _run(self, viewer: Viewer, commands: trio.MemoryReceiveChannel[ClientCommand]) -> None:
        try:
            with viewer.scope:
                async with trio.open_nursery() as helpers:
                    await viewer.connection.run(commands, helpers)
                    helpers.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - what a transport does with it is not under test here
            viewer.error = error
        viewer.ended.set()

    @property
    def sent_in_all(self) -> int:
        """Steps sent, from lanes or one by one."""
        return self.sent + self.stage.delivered

    @contextmanager
    def counting(self) -> Iterator[list[int]]:
        """How many steps were sent and skipped in a block."""
        sent, skipped = self.sent_in_all, self.skipped
        counts: list[int] = []
        yield counts
        counts.extend((self.sent_in_all - sent, self.skipped - skipped))


def nobody_scores(ended: Container[str] = ()) -> ScoringWorld:
    """For connections whose players are not under test: there are none. Of sessions, these have ended."""
    nobody: Directory[UserId] = Directory("user", cast(Any, None), rng=random.Random(0))

    def refusal(user: SignedIn) -> ErrorEvent | None:
        return ErrorEvent("ACCESS_TOKEN_REVOKED", "It has ended.") if user.session_id in ended else None

    return ScoringWorld(nobody, refusal, lambda _name, _outcome: None)


@asynccontextmanager
async def running_feed(*names: str) -> AsyncIterator[Feed]:
    """Run a board with these players, and whatever connects."""

    async def who(token: str) -> SignedIn | ErrorEvent:
        if token == "slow":
            await trio.sleep(1000)
        if token == "good":
            return SignedIn(UserId("a"), "A")
        return ErrorEvent("UNAUTHORIZED", "no")

    def sent() -> None:
        feed.sent += 1

    def skipped() -> None:
        feed.skipped += 1

    async with running_stage(*names) as stage, trio.open_nursery() as nursery:
        ended: set[str] = set()
        world = ConnectionWorld(stage.audiences, who, sent, skipped, nobody_scores(ended))
        feed = Feed(stage, world, PersonalPickles(), nursery, ended=ended)
        yield feed
        nursery.cancel_scope.cancel()
