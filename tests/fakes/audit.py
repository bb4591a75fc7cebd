"""The audit in memory."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import AuditEvent, EventId, UserId
from tests.fakes.faults import Faults


class FakeAuditLog:
    """`AuditLog` in memory; `faults` are its switches."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._events: dict[EventId, AuditEvent] = {}

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """See `AuditLog.record`."""
        await self.faults.around(lambda: self.put(events))

    async def events(
        self, *, user_id: UserId | None = None, since_us: int = 0, limit: int = 100, offset: int = 0
    ) -> list[AuditEvent]:
        """See `AuditLog.events`."""
        there = [event for event in self._events.values() if user_id in (None, event.user_id)]
        newest = sorted(there, key=lambda event: (event.at_us, event.event_id), reverse=True)
        recent = [event for event in newest if event.at_us >= since_us]
        return await self.faults.around(lambda: recent[offset : offset + limit])

    def put(self, events: Sequence[AuditEvent]) -> None:
        """The same at once."""
        for event in events:
            self._events.setdefault(event.event_id, event)
