"""Streams of events at `/api/v1/leaderboard/stream`: from a request to the end of its connection."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.connection.commands import Subscribe
from actors.connection.connection import ConnectionWorld, LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.ports import NOWHERE, Source
from scoreboard.live.caretaker import Caretaker, Patience
from scoreboard.live.client_source import client_source
from scoreboard.live.handshake import AllowOrigin, HandshakeHead
from scoreboard.live.proof import proven
from scoreboard.live.sse.dialect import EventDialect, retry
from scoreboard.live.sse.refusals import Headers, StreamRefusal, head_of, unauthorized
from scoreboard.live.sse.request import Explained, Wanted, judge, shared_with
from scoreboard.live.sse.stream import EventStream, Silence
from scoreboard.wire import request_id
from scoreboard.wire.browsers import GUARDED_TEXT

PATH = "/api/v1/leaderboard/stream"

#: Hears of every request that was answered: method, route, status, seconds until that was decided.
Served = Callable[[str, str, int, float], None]

_ONE, _SEVERAL = EventDialect(several=False), EventDialect(several=True)
_TOO_SLOW = StreamRefusal(503, "SERVICE_UNAVAILABLE", "Tokens cannot be judged just now.", retry_after_s=5)
_OK, _NO_CONTENT, _FORBIDDEN = 200, 204, 403
_ENDS = (trio.BrokenResourceError, trio.ClosedResourceError)
_STREAMED: Headers = (
    ("content-type", "text/event-stream"),
    ("cache-control", "no-store, no-transform"),
    ("x-accel-buffering", "no"),  # nginx would keep what is small until it is more
)


class StreamHead(HandshakeHead, Protocol):
    """What is needed of the request."""

    @property
    def method(self) -> str:
        """As it was sent."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All there are."""
        ...


@dataclass(frozen=True, slots=True)
class EventFeedLimits:
    """The bounds of one stream. Durations are seconds.

    Attributes:
        open_within_s: for the judgement of a token, and for the first bytes.
        close_within_s: for the client to take what is on its way to it.
        patience: with a client whose machine does not answer, or that does not read.
        retry_ms: a client that was cut comes back after a time between these two.
        back_ms: likewise when the server goes down, with all clients at once.
    """

    open_within_s: float = 10.0
    close_within_s: float = 3.0
    patience: Patience = field(default_factory=Patience)
    retry_ms: tuple[int, int] = (1000, 4000)
    back_ms: tuple[int, int] = (1000, 10_000)


class EventFeed:
    """Serves any number of streams, each with an actor of its own, while it is `running`.

    Args:
        world: What the connections' actors need; its `who` also judges the token of a request.
        limits: Bounds.
        allow_origin: Whether a browser's page of that origin may ask, given the values of `Host`.
        now_us: The time of day.
        rng: Spreads the times at which clients come back.
        served: Hears of every request, also of those that are refused.
    """

    def __init__(
        self,
        world: ConnectionWorld,
        limits: EventFeedLimits,
        allow_origin: AllowOrigin,
        now_us: Callable[[], int],
        rng: random.Random,
        *,
        served: Served = lambda *_: None,
    ) -> None:
        self._world = world
        self._limits = limits
        self._allow_origin = allow_origin
        self._now_us = now_us
        self._rng = rng
        self._served = served
        self._caretaker = Caretaker(self._limits.patience)

    @property
    def connected(self) -> int:
        """How many streams there are."""
        return len(self._caretaker)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Look after clients while the body runs."""
        return self._caretaker.running()

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """See `Caretaker.send_home`: they are told when to come back by `retry`."""
        await self._caretaker.send_home(over_s, back_after_s)

    async def __call__(self, transport: trio.abc.Stream, head: StreamHead, closing: trio.Event) -> None:
        """Answer one request. The transport stays open for its owner to close."""
        began = trio.current_time()
        verdict = await self._judge(head)
        self._served(head.method, PATH, _status_of(verdict), trio.current_time() - began)
        if not isinstance(verdict, _Guest) or head.method == "HEAD":
            with trio.move_on_after(self._limits.close_within_s):
                await transport.send_all(self._answer(verdict, head))
            return
        stream = EventStream(transport, head.rest)
        begin = self._answer(verdict, head) + retry(self._rng.randint(*self._limits.retry_ms))
        verdict.source = client_source(transport, head)
        del head  # a client stays for hours, and so does what this frame knows
        await self._serve(stream, begin, verdict, closing)

    # --- before the stream ---

    async def _judge(self, head: StreamHead) -> _Guest | Explained | StreamRefusal:
        wanted = judge(head.method, head, self._allow_origin)
        if not isinstance(wanted, Wanted):
            return wanted
        who: SignedIn | ErrorEvent | StreamRefusal | None = _TOO_SLOW
        ticket = None if head.method == "HEAD" else wanted.ticket  # which would be used up
        with trio.move_on_after(self._limits.open_within_s):
            who = await proven(self._world, wanted.token, ticket)
        match who:
            case StreamRefusal():
                return who
            case ErrorEvent():
                return unauthorized(who.code, who.message)
        return _Guest(wanted, who, NOWHERE)

    def _answer(self, verdict: _Guest | Explained | StreamRefusal, head: StreamHead) -> bytes:
        """The head of the answer; with its body, if there is no stream."""
        name = request_id.chosen_or_fresh((key.encode("latin-1"), text.encode("latin-1")) for key, text in head.headers)
        common: Headers = (*GUARDED_TEXT, (request_id.HEADER.decode(), name))
        if not isinstance(verdict, StreamRefusal) or verdict.status != _FORBIDDEN:
            common += shared_with(head)
        match verdict:
            case StreamRefusal(status):
                body = verdict.body(name, self._now_us())
                return head_of(status, verdict.all_headers(body) + common) + (b"" if head.method == "HEAD" else body)
            case Explained(headers):
                return head_of(_NO_CONTENT, headers + common)
        return head_of(_OK, _STREAMED + common)

    # --- the stream ---

    async def _serve(self, stream: EventStream, begin: bytes, guest: _Guest, closing: trio.Event) -> None:
        try:
            with trio.fail_after(self._limits.open_within_s):
                await stream.send_all(begin)
            await self._show(stream, guest, closing)
            back_after_s = self._caretaker.back_after_s()
            if back_after_s is not None:
                stream.write_now(retry(round(back_after_s * 1000)))
            elif closing.is_set():
                stream.write_now(retry(self._rng.randint(*self._limits.back_ms)))
        except* _ENDS:
            pass
        finally:
            with trio.move_on_after(self._limits.close_within_s, shield=True):
                await stream.leave()
            stream.give_up()

    async def _show(self, stream: EventStream, guest: _Guest, closing: trio.Event) -> None:
        stream.allow_pauses()
        wanted = guest.wanted
        dialect = _SEVERAL if len(wanted.channels) > 1 else _ONE
        first = (Subscribe(each, full=wanted.full, shown=wanted.shown.get(each)) for each in wanted.channels)
        async with trio.open_nursery() as nursery:
            connection = LiveConnection(stream, dialect, self._world, guest.user, guest.source)
            with trio.CancelScope() as running:
                self._caretaker.look_after(stream, running, closing)
                try:
                    await connection.run(Silence(stream), nursery, first)
                finally:
                    self._caretaker.let_go(stream)
            nursery.cancel_scope.cancel()


def _status_of(verdict: _Guest | Explained | StreamRefusal) -> int:
    if isinstance(verdict, StreamRefusal):
        return verdict.status
    return _NO_CONTENT if isinstance(verdict, Explained) else _OK


@dataclass(slots=True)
class _Guest:
    """What a client wants, who it is, if it has said so, and where."""

    wanted: Wanted
    user: SignedIn | None
    source: Source
