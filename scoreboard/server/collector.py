"""When garbage is collected: often and a little of it, and all of it only when there is reason to.

A collection holds the event loop while it looks at its objects, and ten thousand connections are far too many of them
for one turn. Nor does the number of young objects say when to look: those that are freed meanwhile are taken off it, so
while connections come and go there are many more when it is reached; and a lower number costs every request. So what
came with every few connections is looked at once and then left alone (``scripts/bench joins``). So is what came in
every few hundredths of a second of work: to wait again, a task makes as many objects as are freed, so no number grows,
and behind a round of pings those of all clients would be looked at in one turn (``scripts/bench hold``). Nor would it
do to count what comes in: who is read when it is its turn is woken by the clock. What has lived longer is
freed without the collector, because connections leave no cycles behind. Everything is looked at when the process has
grown by more than its connections explain.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from scoreboard.door.front_door import Handler
from scoreboard.door.head import RequestHead
from scoreboard.door.transport import Transport
from scoreboard.observe.logs import Logger

#: Objects made and not freed until the youngest are looked at; how often that is done until the next older are, too;
#: and the same for everything, which never comes to pass.
THRESHOLDS = (10_000, 20, 1_000_000_000)
#: So many connections are some 5,000 objects that stay.
PORTION = 25
#: In so much of the processor's time up to some 5,000 are made that stay, too.
WORK_S = 0.03
LOOK_EVERY_S = 60.0
MIB = 2**20
SLACK = 64 * MIB
GROWTH = 1.25
#: More than a connection takes, with what is on its way to it.
CONNECTION = 64 * 1024
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the process is, in bytes, and how many connections it holds."""

    resident: int
    connections: int

    def is_explained(self, before: Size) -> bool:
        """Whether it has grown since by no more than the connections that came, and what boards and players may."""
        came = max(0, self.connections - before.connections)
        return self.resident <= before.resident * GROWTH + SLACK + came * CONNECTION


class Portions:
    """Counts connections, and lets what came with the last of them grow old."""

    def __init__(self) -> None:
        self._came = 0

    def before(self, handler: Handler) -> Handler:
        """The same handler, counted."""

        def counted(stream: Transport, head: RequestHead, closing: trio.Event) -> Awaitable[RequestHead | None]:
            self._came += 1
            if self._came % PORTION == 0:
                gc.collect(1)
            return handler(stream, head, closing)  # not awaited here: that would be one more frame a connection

        return counted


class Work:
    """Measures the processor's time of the loop's thread, and lets what was made in it grow old."""

    def __init__(self, now: Callable[[], float] = time.thread_time) -> None:
        self._now = now
        self._since = now()
        self._due = trio.lowlevel.ParkingLot()

    def turn(self) -> None:
        """One more turn is over. Does not collect: the loop may be waiting, and this is work, measured as such."""
        now = self._now()
        if now - self._since >= WORK_S:
            self._since = now
            self._due.unpark_all()

    async def collect(self) -> None:
        """Collect whenever it is time; ends by being cancelled."""
        while True:
            await self._due.park()
            gc.collect(1)


def begin() -> None:
    """Before the loop runs and anything is loaded: modules are no garbage, nor is what a board's load makes."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()


async def keep_small(connections: Callable[[], int], log: Logger, *, resident: Callable[[], int] | None = None) -> None:
    """Pass by all that lives as long as the process; then look every minute whether there is reason to collect.

    Called when the board is loaded. Ends by being cancelled.
    """
    size_of = resident or resident_bytes
    gc.collect()
    gc.freeze()
    last = Size(size_of(), connections())
    while True:
        await trio.sleep(LOOK_EVERY_S)
        now = Size(size_of(), connections())
        if now.is_explained(last):
            continue
        began = trio.current_time()
        found = gc.collect()
        last = Size(size_of(), connections())
        log.info(
            "collected_garbage",
            objects=found,
            seconds=round(trio.current_time() - began, 3),
            resident_mib=now.resident // MIB,
            connections=now.connections,
        )


def resident_bytes() -> int:
    """The resident size of this process; where the system does not tell it, the greatest that it ever had."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
