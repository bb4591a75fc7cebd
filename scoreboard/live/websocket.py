"""The endpoints `/ws/leaderboard` and `/ws`: from a handshake to the last close frame of one client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

import trio

from actors.connection.commands import ClientCommand, Subscribe
from actors.connection.connection import ConnectionDialect, ConnectionWorld, LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.leaderboard.events import Channel
from actors.ports import ALL_TIME, Source
from scoreboard.live.caretaker import Caretaker, Patience
from scoreboard.live.client_source import client_source
from scoreboard.live.commands import command_of
from scoreboard.live.dialect import DialectB
from scoreboard.live.dialect_a import DialectA
from scoreboard.live.ending import NORMAL, close, code_of, parting, talk
from scoreboard.live.guard import FrameGuard, FrameLimits
from scoreboard.live.handshake import AllowOrigin, HandshakeHead, Rejection, judge, unauthorized
from scoreboard.live.inbox import Inbox
from scoreboard.live.opened import opened
from scoreboard.live.proof import proven
from scoreboard.live.query import asks_full
from scoreboard.live.stream import FeedStream

_TOO_SLOW = Rejection(503, "SERVICE_UNAVAILABLE", "Tokens cannot be judged just now.", (("retry-after", "5"),))


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """The bounds of one client's feed. Durations are seconds.

    Attributes:
        message_bytes: the longest message of a client; above it the connection closes with 1009.
        open_within_s: for the handshake, the judgement of its token included.
        close_within_s: for the client to answer our close frame.
        patience: with a client that says nothing.
        frames: how many, and how fast.
    """

    message_bytes: int = 16 * 1024
    open_within_s: float = 10.0
    close_within_s: float = 3.0
    patience: Patience = field(default_factory=Patience)
    frames: FrameLimits = field(default_factory=FrameLimits)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the feed: how it speaks, and which channels it shows without being asked for them."""

    dialect: ConnectionDialect
    shown: tuple[Channel, ...] = ()


#: Where clients find which document's events.
ENDPOINTS: Mapping[str, Endpoint] = {
    "/ws/leaderboard": Endpoint(DialectB()),
    "/ws": Endpoint(DialectA(), (Channel(ALL_TIME, 10),)),
}

_NOWHERE = Rejection(404, "NOT_FOUND", f"There is no live feed here; WebSockets are {' and '.join(ENDPOINTS)}.")


class WebSocketFeed:
    """Serves any number of clients, each with an actor of its own, while it is `running`.

    Args:
        world: What the connections' actors need; its `who` also judges the token of a handshake.
        limits: Bounds.
        allow_origin: Whether a browser's page of that origin may connect, given the values of `Host`; not asked for who
            sends no `Origin`.
    """

    def __init__(
        self,
        world: ConnectionWorld,
        limits: FeedLimits | None = None,
        *,
        allow_origin: AllowOrigin = lambda *_: True,
    ) -> None:
        self._world = world
        self._limits = limits or FeedLimits()
        self._allow_origin = allow_origin
        self._caretaker = Caretaker(self._limits.patience)

    @property
    def connected(self) -> int:
        """How many clients are past their handshake."""
        return len(self._caretaker)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Look after clients while the body runs."""
        return self._caretaker.running()

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """See `Caretaker.send_home`: they are told 1012, and when to come back."""
        await self._caretaker.send_home(over_s, back_after_s)

    async def __call__(self, transport: trio.abc.Stream, head: HandshakeHead, closing: trio.Event) -> None:
        """Serve one client; `closing` lets it end with 1001, or 1012. The transport stays open for its owner."""
        admitted: Rejection | tuple[bytes, SignedIn | None] = _TOO_SLOW
        with trio.move_on_after(self._limits.open_within_s):
            admitted = await self._admit(head)
        if isinstance(admitted, Rejection):
            with trio.move_on_after(self._limits.close_within_s):
                await transport.send_all(admitted.response())
            return
        source = client_source(transport, head)
        stream = FeedStream(transport, head.rest, FrameGuard(self._limits.frames, source.address))
        answer, user = admitted
        guest = _Guest(user, source, ENDPOINTS[head.path], full=asks_full(head.query))
        del head, admitted  # a client stays for hours, and so does what this frame knows
        await talk(stream, answer, partial(self._converse, stream, guest, closing), self._limits)

    async def _admit(self, head: HandshakeHead) -> Rejection | tuple[bytes, SignedIn | None]:
        if head.path not in ENDPOINTS:
            return _NOWHERE
        verdict = judge(head, head.path, self._allow_origin)
        if isinstance(verdict, Rejection):
            return verdict
        who = await proven(self._world, verdict.token, verdict.ticket)
        if isinstance(who, ErrorEvent):
            return unauthorized(who.code, who.message)
        return verdict.answer, who

    async def _converse(self, stream: FeedStream, guest: _Guest, closing: trio.Event) -> int:
        """The close code with which it ended, or should end if nobody has said so yet."""
        stream.allow_pauses()
        code, websocket = NORMAL, None  # of who is dismissed, which cancels all that follows
        async with trio.open_nursery() as nursery:
            longest = self._limits.message_bytes
            inbox = Inbox(stream, partial(opened, nursery, stream, max_message_size=longest), longest, command_of)
            connection = LiveConnection(stream, guest.endpoint.dialect, self._world, guest.user, guest.source)
            with trio.CancelScope() as running:
                self._caretaker.look_after(stream, running, closing)
                try:
                    await connection.run(inbox, nursery, guest.first)
                finally:
                    self._caretaker.let_go(stream)
            code, reason = parting(self._caretaker.back_after_s(), closing)
            websocket = await close(stream, inbox, code, self._limits, reason)
            nursery.cancel_scope.cancel()
        return code_of(stream, websocket, code)


@dataclass(frozen=True, slots=True)
class _Guest:
    """Who a client is, if it has said so with its handshake, where, and which way it came in."""

    user: SignedIn | None
    source: Source
    endpoint: Endpoint
    full: bool

    @property
    def first(self) -> Iterator[ClientCommand]:
        """What it gets without saying so."""
        return (Subscribe(channel, full=self.full) for channel in self.endpoint.shown)
