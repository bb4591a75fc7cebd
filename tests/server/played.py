"""A process of ours that is played: it ends when it is told to, or when the test says so."""

from __future__ import annotations

import signal

import trio


class PlayedProcess:
    """One that is `deaf` ends only by being killed, or by itself."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.told: list[signal.Signals] = []
        self._deaf = deaf
        self._status = 0
        self._over = trio.Event()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    async def ended(self) -> int:
        """Its status."""
        await self._over.wait()
        return self._status

    def end(self, status: int) -> None:
        """By itself."""
        if not self.is_over:
            self._status = status
            self._over.set()

    def tell(self, number: signal.Signals) -> None:
        """A signal."""
        self.told.append(number)
        if number is signal.SIGKILL:
            self.end(-9)
        elif number in (signal.SIGTERM, signal.SIGINT) and not self._deaf:
            self.end(0)
