"""The event log in memory, shared by workers, and the ways in which it may lose what it was given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import trio

from actors.ports import ChainId, Heard, LoggedFacts, ScoreFact
from tests.fakes.faults import Faults

#: What becomes of an entry: those that are added in its place, in this order.
Mangle = Callable[[LoggedFacts], Sequence[LoggedFacts]]


@dataclass(slots=True)
class Bus:
    """The entries. `mangle` may lose, double or hold back what is added; `clear` forgets all, and numbers go on."""

    length: int = 2_000
    mangle: Mangle = lambda entry: [entry]
    entries: deque[tuple[int, LoggedFacts]] = field(default_factory=deque)
    last: int = 0
    _news: trio.Event = field(default_factory=trio.Event)

    def add(self, entry: LoggedFacts) -> int:
        """Put an entry at the end, or what becomes of it."""
        for each in self.mangle(entry):
            self.last += 1
            self.entries.append((self.last, each))
        while len(self.entries) > self.length:
            self.entries.popleft()
        self._news.set()
        self._news = trio.Event()
        return self.last

    def clear(self, *, last: int | None = None) -> None:
        """Everything is gone; with `last` also the count, as on another machine."""
        self.entries.clear()
        self.last = self.last if last is None else last

    async def news(self) -> None:
        """Wait for an entry."""
        await self._news.wait()


class FakeEventLog:
    """`EventLog` in memory, as the worker with that chain has it.

    One that is not `patient` says at once that there is nothing: whoever stops it need not wait, also by a real clock.
    """

    def __init__(
        self,
        length: int = 2_000,
        *,
        chain: ChainId = ChainId("one"),  # noqa: B008 - a string
        bus: Bus | None = None,
        patient: bool = True,
    ) -> None:
        self.faults = Faults()
        self.patient = patient
        self.bus = bus or Bus(length)
        self.chain = chain

    def beside(self, chain: ChainId) -> FakeEventLog:
        """The same log for another worker, with faults of its own."""
        return FakeEventLog(chain=chain, bus=self.bus)

    async def append(self, facts: Sequence[ScoreFact], batches: Sequence[int] = (), history: str = "") -> str:
        """See `EventLog.append`."""
        entry = LoggedFacts("", tuple(facts), self.chain, tuple(batches), history)
        return await self.faults.around(lambda: str(self.bus.add(entry)))

    async def end(self) -> str:
        """See `EventLog.end`."""
        return await self.faults.around(lambda: str(self.bus.last))

    async def read(self, after: str, limit: int, within_s: float = 0.0) -> Heard:
        """See `EventLog.read`."""
        heard = await self.faults.around(lambda: self._read(int(after), limit))
        if heard.position != after or not within_s or not self.patient:
            return heard
        with trio.move_on_after(within_s):
            await self.bus.news()
        return self._read(int(after), limit)

    def _read(self, after: int, limit: int) -> Heard:
        behind = [each for each in self.bus.entries if each[0] > after][:limit]
        others = tuple(replace(entry, position=str(number)) for number, entry in behind if entry.chain != self.chain)
        return Heard(others, str(behind[-1][0]) if behind else str(after))
