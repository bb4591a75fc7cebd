"""Where a worker stands among those that serve one port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scoreboard.server.crew.line import WorkerEnd
from scoreboard.server.crew.listener import SharedListener
from scoreboard.server.crew.tally import Tally


@dataclass(frozen=True, slots=True)
class Place:
    """The worker's number, from 1, of how many; its seat; the directory of their sockets; its line to the parent.

    The number is for people, and stays when one process takes another one's place. No two that live have the same seat:
    it is that of its socket, and of the sessions that it holds.
    """

    number: int
    seat: int
    count: int
    sockets: Path
    line: WorkerEnd

    async def listeners(self, connections: Callable[[], int]) -> list[SharedListener]:
        """What to accept from, once this worker is ready, which has so many `connections`. Raises NoParent."""
        tally = Tally(self.sockets)
        return [SharedListener(each, self.seat, tally, connections) for each in await self.line.listening()]
