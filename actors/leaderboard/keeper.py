"""Has every period archived that is over: opened at its end, closed when no write can come to it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import islice, takewhile

import trio

from actors.leaderboard.calendar import span_of, spans_after
from actors.ports import LATEST_US, Archive, ArchivedPeriod, Period, Span, StoreUnavailable, WallClock
from actors.runtime import Actor

PERIODS = (Period.DAILY, Period.WEEKLY, Period.MONTHLY)

#: So many spans are offered at once; a server that was away for years has more days than that to make up for.
OFFERED = 1_000

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

    What was missed while no server ran is made up for at the next start. That each thing is done once, whoever of
    several workers does it, is the archive's promise.
    """

    def __init__(self, world: KeeperWorld) -> None:
        self._world = world
        self._next_us = 0

    def __repr__(self) -> str:
        return f"<ArchiveKeeper, next round at {self._next_us} us>"

    async def started(self) -> None:
        """The first round is due."""
        self.wake_at = trio.current_time()

    async def woken(self) -> None:
        """Make the round if it is due."""
        now_us = self._world.clock.now_us()
        if now_us >= self._next_us:
            try:
                await self._round(now_us)
            except StoreUnavailable:
                self.wake_at = trio.current_time() + self._world.retry_s
                return
            self._next_us = min(self._moments(now_us))
        left_s = (self._next_us - self._world.clock.now_us()) / 1_000_000
        self.wake_at = trio.current_time() + min(max(left_s, 0), LOOK_S)

    async def _round(self, now_us: int) -> None:
        for period in PERIODS:
            await self._open(period, now_us)
        while (closed := await self._world.archive.close_next()) is not None:
            self._world.closed(closed)

    async def _open(self, period: Period, now_us: int) -> None:
        """Open all that are over and that may be missing, in order."""
        since_us = await self._world.archive.open_from(period)
        if since_us is None:
            return
        over = takewhile(lambda span: span.end_us <= now_us, spans_after(period, self._zone(period), since_us))
        while spans := list(islice(over, OFFERED)):
            for span in await self._world.archive.open(period, spans):
                self._world.opened(period, span)

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
