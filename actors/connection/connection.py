"""One client's live feed: what it watches, and how far it has been shown each channel.

The outbox is latest-wins. A step goes out at once when the client's socket can take it; otherwise only the newest
step of each channel is remembered (by reference: it is shared by all), and when the socket has drained the client
gets one fresh snapshot. So a slow reader holds a bounded amount of memory and delays nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from actors.connection.commands import Authenticate, BadInput, ClientCommand, Ping, Subscribe, Unsubscribe
from actors.connection.events import ErrorEvent, PersonalEvent, Pong, SignedIn, Unsubscribed
from actors.leaderboard.audience import Join, Leave
from actors.leaderboard.events import Channel
from actors.leaderboard.update import Dialect, Update
from actors.runtime import ActorError, Directory

#: More channels than this nobody needs at once; each costs a place in an audience.
MAX_CHANNELS = 20


class Transport(Protocol):
    """The way to one client. All bytes go out in the order in which they were taken."""

    def write_now(self, frames: bytes) -> bool:
        """Take ready frames if nothing else is on its way; False, and nothing is taken, when the client is behind."""
        ...

    async def drained(self) -> None:
        """Wait until everything taken has left and the client can take more."""
        ...

    async def send(self, frames: bytes) -> None:
        """Send ready frames after everything taken before; waits."""
        ...


class ConnectionDialect(Dialect, Protocol):
    """A wire format that also knows what is said to one client alone."""

    def personal(self, event: PersonalEvent) -> bytes:
        """One event as a ready frame."""
        ...


@dataclass(slots=True)
class _Watched:
    """How far the client has been shown one channel; `behind` is what it must be shown next."""

    full: bool
    epoch: str | None = None
    version: int = 0
    behind: Update | None = None


@dataclass(frozen=True, slots=True)
class ConnectionWorld:
    """What a connection needs from outside. `who` judges an access token: who it is, or why not."""

    audiences: Directory[str]
    who: Callable[[str], Awaitable[SignedIn | ErrorEvent]]
    sent: Callable[[], None]
    skipped: Callable[[], None]
    within_s: float = 10.0


class LiveConnection:
    """The actor of one client. Its audiences call `offer`; its own task works on what the client asks."""

    def __init__(
        self, transport: Transport, dialect: ConnectionDialect, world: ConnectionWorld, user: SignedIn | None = None
    ) -> None:
        self._transport = transport
        self._dialect = dialect
        self._world = world
        self._user = user
        self._watched: dict[Channel, _Watched] = {}
        self._lagging = trio.Event()
        self._gone = False

    def __repr__(self) -> str:
        who = self._user.username if self._user else "anonymous"
        behind = sum(watched.behind is not None for watched in self._watched.values())
        return f"<LiveConnection {who}, {len(self._watched)} channels, {behind} behind>"

    # --- the synchronous half: steps of boards ---

    def offer(self, update: Update) -> bool:
        """Take a step of a channel, or remember it as the one to catch up to; False when nobody watches it here."""
        watched = self._watched.get(update.channel)
        if self._gone or watched is None:
            return False
        if watched.behind is None and self._transport.write_now(self._frames(watched, update)):
            self._shown(watched, update)
        else:
            self._world.skipped()
            watched.behind = update
            self._lagging.set()
        return True

    def _frames(self, watched: _Watched, update: Update) -> bytes:
        if update.follows(watched.epoch, watched.version):
            return update.step_frames(self._dialect, full=watched.full)
        return update.full_frames(self._dialect)

    def _shown(self, watched: _Watched, update: Update) -> None:
        watched.epoch = update.full.epoch
        watched.version = update.full.version
        watched.behind = None
        self._world.sent()

    # --- the tasks ---

    async def run(self, commands: AsyncIterator[ClientCommand]) -> None:
        """Serve the client until `commands` ends; then leave every audience."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._catch_up)
                async for command in commands:
                    await self._obey(command)
                nursery.cancel_scope.cancel()
        finally:
            self._gone = True
            for channel in self._watched:
                self._leave(channel)

    async def _catch_up(self) -> None:
        """Whenever the client reads again, show it the newest state of all channels it fell behind on."""
        while True:
            await self._lagging.wait()
            self._lagging = trio.Event()
            await self._transport.drained()
            for watched in self._watched.values():
                update = watched.behind
                if update is None:
                    continue
                if self._transport.write_now(update.full_frames(self._dialect)):
                    self._shown(watched, update)
                else:
                    self._lagging.set()

    async def _obey(self, command: ClientCommand) -> None:
        match command:
            case Subscribe():
                await self._subscribe(command)
            case Unsubscribe(channel):
                if self._watched.pop(channel, None) is not None:
                    self._leave(channel)
                await self._say(Unsubscribed(channel))
            case Ping(echo):
                await self._say(Pong(echo))
            case Authenticate(token):
                await self._authenticate(token)
            case BadInput(code, message):
                await self._say(ErrorEvent(code, message))

    async def _subscribe(self, command: Subscribe) -> None:
        channel = command.channel
        if len(self._watched) >= MAX_CHANNELS and channel not in self._watched:
            text = f"A connection may watch {MAX_CHANNELS} channels. Unsubscribe from one first."
            await self._say(ErrorEvent("TOO_MANY_CHANNELS", text))
            return
        self._watched[channel] = _Watched(command.full)  # a second subscription begins anew, with a snapshot
        try:
            await self._world.audiences.ask(channel.key, Join(self), within=self._world.within_s)
        except ActorError:
            del self._watched[channel]
            await self._say(ErrorEvent("SERVICE_UNAVAILABLE", "The board cannot be reached just now. Subscribe again."))

    def _leave(self, channel: Channel) -> None:
        try:
            self._world.audiences.tell(channel.key, Leave(self))
        except ActorError:
            return  # the audience forgets a connection that has gone when it offers it the next step

    async def _authenticate(self, token: str) -> None:
        verdict = await self._world.who(token)
        if isinstance(verdict, SignedIn):
            self._user = verdict
        await self._say(verdict)

    async def _say(self, event: PersonalEvent) -> None:
        await self._transport.send(self._dialect.personal(event))
