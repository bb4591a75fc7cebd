"""The place of one worker as its parent knows it: who has it, how often it was replaced, whether it is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from scoreboard.server.crew.life import Life


@dataclass(slots=True)
class Slot:
    """One number of a crew.

    Attributes:
        state: ``starting``, ``ready``, ``draining``, ``away`` (an operator let it go), ``failed`` (it is started again
            after a pause), ``left alone`` (that pause is long), or at the end of the whole ``ending``.
        life: its present process, if there is one.
        coming: one that is to take its place when it serves.
        leaving: one whose place was taken, until it has ended.
        restarts: how often it was started again, whatever the reason was.
        failures: how often it failed.
        last: how it failed the last time.
        wanted: false while an operator wants nobody there.
    """

    number: int
    state: str = "starting"
    life: Life | None = None
    coming: Life | None = None
    leaving: Life | None = None
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

    def has(self, life: Life) -> None:
        """From now on that is its process."""
        self.life = life
        self.restarts += 1
        self.become("ready" if life.is_ready else "starting")

    def succeeded(self) -> None:
        """The one that was coming serves, and has the place; the other one is leaving."""
        assert self.coming is not None  # noqa: S101 - who calls has seen it
        self.leaving, came, self.coming = self.life, self.coming, None
        self.has(came)

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
    def pid(self) -> int | None:
        """Of its process."""
        return None if self.life is None else self.life.worker.pid

    @property
    def up_s(self) -> float | None:
        """For how long there is this process."""
        return None if self.life is None else self.life.up_s
