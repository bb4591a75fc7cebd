"""The place of one worker as its parent knows it: what it is doing, how often it was replaced, whether it is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import trio


@dataclass(slots=True)
class Slot:
    """One number of a crew.

    Attributes:
        state: ``starting``, ``ready``, ``draining``, ``away`` (an operator let it go), ``failed`` (it is started again
            after a pause), ``left alone`` (that pause is long), or at the end of the whole ``ending``.
        since: of its present process, by Trio's clock; infinite while there is none.
        restarts: how often it was started again, whatever the reason was.
        failures: how often it failed.
        last: how it failed the last time.
        wanted: false while an operator wants nobody there.
    """

    number: int
    state: str = "starting"
    pid: int | None = None
    since: float = math.inf
    restarts: int = -1
    failures: int = 0
    last: str | None = None
    wanted: bool = True
    changed: trio.Event = field(default_factory=trio.Event)

    def become(self, state: str) -> None:
        """From now on that is what it does; whoever waits for a change sees it."""
        if self.state != "ending":
            self.state = state
        self.nudge()

    def began(self, pid: int) -> None:
        """It has a process, which is not ready yet."""
        self.pid, self.since = pid, trio.current_time()
        self.restarts += 1
        self.become("starting")

    def ended(self) -> None:
        """It has none any more."""
        self.pid, self.since = None, math.inf

    def failed(self, how: str, state: str) -> None:
        """Its process ended as it should not."""
        self.failures += 1
        self.last = how
        self.become(state)

    def nudge(self) -> None:
        """Whoever waits shall look."""
        self.changed.set()
        self.changed = trio.Event()

    async def until(self, *states: str) -> None:
        """Wait until it is in one of these."""
        while self.state not in states:
            await self.changed.wait()

    @property
    def up_s(self) -> float | None:
        """For how long there is this process."""
        return None if math.isinf(self.since) else trio.current_time() - self.since
