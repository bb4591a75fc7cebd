"""Has every period archived that is over: opened at its end, closed when no write can come to it any more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import islice, takewhile

import trio

from actors.leaderboard.calendar import span_of, spans_after
from actors.ports import LATEST_US, Archive, ArchivedPeriod, Period, Span, StoreUnavailable, WallClock
from actors.runtime import Actor

PERIODS = (Period.DAILY, Period.WEEKLY, Period.MONTHLY)

#: So many spans are offered at once, and one is closed at once; a server that was away for years has many more days to
#: make up for.
OFFERED = 20
#: Seconds between two of these pieces of work.
BREATH_S = 1.0

#: When the last write has come to a period, by anybody's clock.
SETTLED_US = LATEST_US + 120_000_000

#: The rounds are made at least so often, whatever the clocks say.
ROUND_S = 3600.0

#: An alarm further ahead than this is set again on the way, for the clock on the wall may be set.
LOOK_S = 60.0


@dataclass(frozen=True, slots=True)
class KeeperWorld:
    """What the keeper needs from outside. `opened` and `closed` hear of what this worker did; others have a keeper too.

    A store that is away is asked again after `retry_s` seconds.
    """

    archive: Archive
    clock: WallClock
    zones: Mapping[Period, tzinfo]
    opened: Callable[[Period, Span], None] = lambda _period, _span: None
    closed: Callable[[ArchivedPeriod], None] = lambda _period: None
    retry_s: float = 5.0


class ArchiveKeeper(Actor):
    """Makes its rounds at the start, at every end of a period, and when that has settled. Nobody asks it anything.

    What was missed while no server ran is made up for at the next start, piece by piece. That each thing is done once,
    whoever of several workers does it, is the archive's promise.
    """

    def __init__(self, world: KeeperWorld) -> None:
        self._world = world
        self._next_us = self._seen_us = 0  # when the next round is due, and what the clock showed last
        self._missing: deque[tuple[Period, Iterator[Span]]] = deque()  # what this round has not offered yet
        self._closing = False  # what is due may not all have been closed

    def __repr__(self) -> str:
        return f"<ArchiveKeeper, next round at {self._next_us} us>"

    async def started(self) -> None:
        """The first round is due."""
        self.wake_at = trio.current_time()

    async def woken(self) -> None:
        """Begin a round if one is due, or go on with the last."""
        try:
            if not (self._missing or self._closing) and self._is_due():
                await self._begin()
            await self._go_on()
        except StoreUnavailable:
            self._missing.clear()
            self._closing, self._next_us = False, 0  # the round is made again, and finds what is done
            self.wake_at = trio.current_time() + self._world.retry_s
            return
        left_s = (self._next_us - self._world.clock.now_us()) / 1_000_000
        waits_s = BREATH_S if self._missing or self._closing else min(max(left_s, 0), LOOK_S)
        self.wake_at = trio.current_time() + waits_s

    def _is_due(self) -> bool:
        """At its time, and when the clock was set back: then nobody knows what that time is worth."""
        seen_us, self._seen_us = self._seen_us, self._world.clock.now_us()
        return self._seen_us >= self._next_us or self._seen_us < seen_us

    async def _begin(self) -> None:
        """See what may be missing of each kind, in order; nothing is offered yet."""
        now_us = self._seen_us
        for period in PERIODS:
            since_us = await self._world.archive.open_from(period)
            if since_us is not None:
                spans = spans_after(period, self._zone(period), since_us)
                self._missing.append((period, takewhile(lambda span: span.end_us <= now_us, spans)))
        self._closing, self._next_us = True, min(self._moments(now_us))

    async def _go_on(self) -> None:
        """Offer some spans; when all have been offered, close one that is due."""
        room = OFFERED
        while self._missing and room:
            period, over = self._missing[0]
            spans = list(islice(over, room))
            for span in await self._world.archive.open(period, spans) if spans else ():
                self._world.opened(period, span)
            room -= len(spans)
            if room:
                self._missing.popleft()
        if self._closing and not self._missing:
            closed = await self._world.archive.close_next()
            self._closing = closed is not None
            if closed is not None:
                self._world.closed(closed)

    def _moments(self, now_us: int) -> Iterator[int]:
        """When there may be something to do next."""
        yield now_us + round(ROUND_S * 1_000_000)
        for period in PERIODS:
            span = span_of(period, self._zone(period), now_us)
            yield span.end_us
            if now_us < span.start_us + SETTLED_US:
                yield span.start_us + SETTLED_US

    def _zone(self, period: Period) -> tzinfo:
        return self._world.zones.get(period, UTC)
