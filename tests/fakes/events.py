"""The event log in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from actors.ports import LoggedFacts, ScoreFact
from tests.fakes.faults import Faults


class FakeEventLog:
    """`EventLog` in memory, of `length` entries."""

    def __init__(self, length: int = 100_000) -> None:
        self.faults = Faults()
        self._entries: deque[tuple[int, tuple[ScoreFact, ...]]] = deque(maxlen=length)
        self._next = 1

    async def append(self, facts: Sequence[ScoreFact]) -> str:
        """See `EventLog.append`."""
        return await self.faults.around(lambda: self._append(tuple(facts)))

    def _append(self, facts: tuple[ScoreFact, ...]) -> str:
        number, self._next = self._next, self._next + 1
        self._entries.append((number, facts))
        return str(number)

    async def read(self, after: str | None, limit: int) -> list[LoggedFacts]:
        """See `EventLog.read`."""
        return await self.faults.around(lambda: self._read(int(after or 0), limit))

    def _read(self, after: int, limit: int) -> list[LoggedFacts]:
        behind = [LoggedFacts(str(number), facts) for number, facts in self._entries if number > after]
        return behind[:limit]
