"""Looks after all clients of a feed at once: a task for each would cost more memory than the client itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import trio

from scoreboard.live.stream import FeedStream

#: Silence is looked for so many times in the time after which a client is asked for a sign of life.
LOOKS = 10
#: So many clients are looked at at once. Their answers come at once, too, in one turn of the loop.
SLICE = 100
#: So many are sent home at once: each has a close frame to send and an answer to hear (``scripts/bench storm``).
SENT_HOME = 20
#: From one wave to the next of those who are sent home while others take their place.
WAVE_S = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may say nothing, in seconds.

    Attributes:
        ping_after_s: until it is asked for a sign of life; proxies cut what is idle for a minute.
        pong_within_s: for any sign of life after a ping.
        paused_within_s: for a client that is alive but does not read; it is only behind until then.
    """

    ping_after_s: float = 25.0
    pong_within_s: float = 20.0
    paused_within_s: float = 3600.0


class Care(Enum):
    """What a client needs."""

    NOTHING = "nothing"
    PING = "ping"
    JUDGEMENT = "judgement"


def care_for(heard_at: float, pinged_at: float, now: float, patience: Patience) -> Care:
    """What to do about a client that was heard and pinged last at these times."""
    if now < heard_at + patience.ping_after_s:
        return Care.NOTHING
    if pinged_at <= heard_at:
        return Care.PING
    return Care.JUDGEMENT if now >= pinged_at + patience.pong_within_s else Care.NOTHING


def waves(clients: Sequence[T], over_s: float) -> list[Sequence[T]]:
    """Who goes when: as many waves as there are in that time, of about the same size, none of them empty."""
    count = max(1, min(len(clients), round(over_s / WAVE_S)))
    return [clients[start::count] for start in range(count)] if clients else []


async def in_waves(clients: Sequence[T], over_s: float) -> AsyncGenerator[Sequence[T]]:
    """The same, each wave when it is its turn."""
    for wave in waves(clients, over_s):
        yield wave
        await trio.sleep(WAVE_S)


class Caretaker:
    """Asks quiet clients for a sign of life, cuts those who are gone, and tells all when the server closes.

    A ping comes up to a tenth of `ping_after_s` late, because all are looked at together.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._clients: dict[FeedStream, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._closings: set[trio.Event] = set()
        self._back_after_s: Callable[[], float] | None = None

    def __len__(self) -> int:
        return len(self._clients)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Look after clients while the body runs."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._look_round)
            try:
                yield
            finally:
                self._nursery = None
                nursery.cancel_scope.cancel()

    def look_after(self, stream: FeedStream, scope: trio.CancelScope, closing: trio.Event) -> None:
        """Cancel `scope` when the client is gone or `closing` is set, until it is `let_go`.

        All clients of one door bring the same `closing`; a task waits for each door.

        Raises:
            RuntimeError: the caretaker is not running.
        """
        if self._nursery is None:
            raise RuntimeError("nobody looks after the clients")
        if closing.is_set():
            scope.cancel()
        elif closing not in self._closings:
            self._closings.add(closing)
            self._nursery.start_soon(self._send_home_when, closing)
        self._clients[stream] = scope

    async def send_home(self, over_s: float, back_after_s: Callable[[], float]) -> None:
        """All who are there now, in waves over so many seconds; each is told after how many it may come back.

        Whoever is sent home from now on is told so, too.
        """
        self._back_after_s = back_after_s
        async for wave in in_waves(list(self._clients.items()), over_s):
            for count, (stream, scope) in enumerate(wave, 1):
                if stream in self._clients:
                    scope.cancel()
                if count % SENT_HOME == 0:
                    await trio.lowlevel.checkpoint()

    def back_after_s(self) -> float | None:
        """What a client that is sent home is told; None unless the server is being renewed."""
        return None if self._back_after_s is None else self._back_after_s()

    def let_go(self, stream: FeedStream) -> None:
        """Its talk is over."""
        del self._clients[stream]

    async def _send_home_when(self, closing: trio.Event) -> None:
        """In portions, so that those who are still served are heard between them."""
        await closing.wait()
        self._closings.discard(closing)  # who comes from now on is not waited for
        for count, scope in enumerate(tuple(self._clients.values()), 1):
            scope.cancel()
            if count % SENT_HOME == 0:
                await trio.lowlevel.checkpoint()

    async def _look_round(self) -> None:
        """Evenly over the time of a round, or all pongs would come in one turn of the loop (``scripts/bench hold``)."""
        while True:
            clients = tuple(self._clients.items())
            starts = range(0, len(clients), SLICE) or range(1)
            for start in starts:
                await trio.sleep(self._patience.ping_after_s / LOOKS / len(starts))
                now = trio.current_time()
                for stream, scope in clients[start : start + SLICE]:
                    if stream in self._clients:
                        self._look_at(stream, scope, now)

    def _look_at(self, stream: FeedStream, scope: trio.CancelScope, now: float) -> None:
        care = care_for(stream.heard_at, stream.pinged_at, now, self._patience)
        if care is Care.JUDGEMENT and self._has_gone(stream):
            stream.give_up()
            scope.cancel()
        elif care is not Care.NOTHING:
            stream.ask(now)

    def _has_gone(self, stream: FeedStream) -> bool:
        """A client that has stopped reading does not answer either, but its machine does."""
        patience = self._patience
        paused_s = stream.pinged_at - stream.heard_at
        return stream.peer_is_gone(patience.pong_within_s) or paused_s > patience.paused_within_s
