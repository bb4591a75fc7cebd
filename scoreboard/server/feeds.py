"""The transports of the live feed, put together."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from actors.audit.messages import Denied
from actors.connection.connection import ConnectionWorld
from actors.connection.events import ErrorEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.connection.signins import SignIns
from actors.ports import Source, UserId, WallClock
from scoreboard.door.admission import site_of
from scoreboard.live import FeedLimits, FrameLimits, FrameRate, FrameShares, Patience, WebSocketFeed
from scoreboard.live.socketio import SocketIo, SocketIoLimits, SocketIoPatience, SocketIoPlaces, SocketIoWorld
from scoreboard.live.sse import EventFeed, EventFeedLimits
from scoreboard.observe.logs import Logger
from scoreboard.security.errors import TicketRefused, TokenRefused
from scoreboard.security.roles import SCORE
from scoreboard.security.tickets import Tickets
from scoreboard.security.tokens import AccessTokens, Caller
from scoreboard.server.core import Core
from scoreboard.server.parts import Parts
from scoreboard.settings import Settings
from scoreboard.wire.origins import Origins

#: What an address may send at once, in seconds of what it may send in the long run: so long it may hold up all others.
SHARED_BURST_S = 0.1


@dataclass(frozen=True, slots=True)
class Feeds:
    """Plain WebSockets, Socket.IO, and streams of events."""

    sockets: WebSocketFeed
    socketio: SocketIo
    events: EventFeed
    signins: SignIns
    clock: WallClock

    @property
    def connected(self) -> int:
        """How many clients there are."""
        return self.sockets.connected + self.socketio.connected + self.events.connected

    @asynccontextmanager
    async def running(self, closing: trio.Event) -> AsyncIterator[None]:
        """Look after clients while the body runs; `closing` is set when they should go."""
        async with trio.open_nursery() as nursery, self.sockets.running(), self.events.running():
            nursery.start_soon(self.signins.watch, self.clock.now_us)
            async with self.socketio.running(closing):
                yield
            nursery.cancel_scope.cancel()

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """Close what all clients have open, in waves over so many seconds, and let them come back after so many."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.sockets.send_home, over_s, back_after_s)
            nursery.start_soon(self.events.send_home, over_s, back_after_s)
            nursery.start_soon(self.socketio.send_home, over_s, back_after_s)

    async def release(self, sid: str) -> bytes:
        """Another worker passes on a poll of that session of Socket.IO and leaves: answer it now."""
        self.socketio.release(sid)
        return b"ok"


def make_feeds(parts: Parts, core: Core, tokens: AccessTokens, tickets: Tickets) -> Feeds:
    """The feeds of one server, which share what they know of clients."""
    settings, metrics, clock = parts.settings, parts.metrics, parts.clock
    denied = partial(_denied, core, clock)
    scoring = ScoringWorld(core.users, partial(_refusal, tokens), metrics.command_answered, denied=denied)
    world = ConnectionWorld(
        core.audiences,
        partial(_who, tokens),
        metrics.frames_sent,
        metrics.frames_skipped,
        scoring,
        redeem=partial(_redeem, tokens, tickets),
    )
    parts.revoked.follow(world.signins.end_session)
    allow_origin = Origins.of(settings.door.origins).allows
    patience = Patience(ping_after_s=settings.board.ping_s)
    frames = _frame_limits(settings)
    limits = _socketio_limits(settings, frames)
    shared = SocketIoWorld(
        world, limits, partial(_session_failed, parts.log), metrics.session_refused, worker=parts.seat
    )
    return Feeds(
        WebSocketFeed(world, FeedLimits(patience=patience, frames=frames), allow_origin=allow_origin),
        SocketIo(shared, site_of, allow_origin, metrics.request),
        EventFeed(
            world, EventFeedLimits(patience=patience), allow_origin, clock.now_us, parts.rng, served=metrics.request
        ),
        world.signins,
        clock,
    )


async def _who(tokens: AccessTokens, token: str) -> SignedIn | ErrorEvent:
    try:
        return _signed_in(tokens.verify(token))
    except TokenRefused as refused:
        return ErrorEvent("UNAUTHORIZED", str(refused))


async def _redeem(tokens: AccessTokens, tickets: Tickets, ticket: str) -> SignedIn | ErrorEvent:
    try:
        caller = await tickets.redeem(ticket)
        tokens.require_good(caller.session_id, caller.expires_s)
    except (TicketRefused, TokenRefused) as refused:
        return ErrorEvent("UNAUTHORIZED", f"{refused}.")
    return _signed_in(caller)


def _refusal(tokens: AccessTokens, user: SignedIn) -> ErrorEvent | None:
    try:
        tokens.require_good(user.session_id, user.expires_s)
    except TokenRefused as refused:
        return ErrorEvent(refused.code, f"{refused}. Send authenticate with a new one.")
    return None


def _signed_in(caller: Caller) -> SignedIn:
    may_score = SCORE in caller.permissions
    return SignedIn(UserId(caller.user_id), caller.username, caller.session_id, caller.expires_s, may_score)


def _session_failed(log: Logger, error: BaseException) -> None:
    log.error("socketio_session_failed", exc_info=error)


def _socketio_limits(settings: Settings, frames: FrameLimits) -> SocketIoLimits:
    wanted, door = settings.socketio, settings.door
    return SocketIoLimits(
        places=SocketIoPlaces(
            sessions=door.connections,
            sessions_per_address=door.connections_per_address,
            unconnected=wanted.unconnected,
            unconnected_per_address=wanted.unconnected_per_address,
        ),
        connect_within_s=wanted.connect_within_s,
        patience=SocketIoPatience(wanted.ping_interval_s, wanted.ping_timeout_s),
        frames=frames,
    )


def _frame_limits(settings: Settings) -> FrameLimits:
    limits = settings.limits
    per_s = limits.live_frames_per_second if limits.enabled else math.inf
    shared = limits.live_frames_per_second_per_address if limits.enabled else math.inf
    shares = FrameShares(FrameRate(shared, shared * SHARED_BURST_S), site_of)
    return FrameLimits(players=FrameRate(per_s, 2 * per_s), shares=shares)


def _denied(core: Core, clock: WallClock, code: str, name: str, user: SignedIn | None, source: Source) -> None:
    """A command was refused."""
    core.denied(Denied(code, name, clock.now_us(), None if user is None else user.user_id, source))
