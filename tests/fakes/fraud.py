"""Habits of players and findings of rules, in memory."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from actors.ports import EventId, FraudEvent, Habits, UserId
from tests.fakes.faults import Faults
from tests.fakes.players import Players


class FakeFraudStore:
    """`FraudStore` in memory; `faults` are its switches."""

    def __init__(self, players: Players) -> None:
        self.players = players
        self.faults = Faults()
        self.kept: dict[UserId, Habits] = {}
        self.events: dict[EventId, FraudEvent] = {}

    async def habits(self, user_ids: Sequence[UserId]) -> dict[UserId, Habits]:
        """See `FraudStore.habits`."""
        return await self.faults.around(
            lambda: {key: copy.deepcopy(self.kept[key]) for key in user_ids if key in self.kept}
        )

    async def some_habits(self, count: int) -> list[Habits]:
        """See `FraudStore.some_habits`. Those kept last."""
        return await self.faults.around(lambda: copy.deepcopy(list(self.kept.values())[-count:]))

    async def keep(self, habits: Mapping[UserId, Habits]) -> None:
        """See `FraudStore.keep`."""
        known = {key: each for key, each in habits.items() if key in self.players.rows}
        await self.faults.around(lambda: self.kept.update(copy.deepcopy(known)))

    async def record(self, events: Sequence[FraudEvent]) -> None:
        """See `FraudStore.record`."""
        await self.faults.around(lambda: self._put(events))

    def _put(self, events: Sequence[FraudEvent]) -> None:
        for event in events:
            if event.user_id in self.players.rows:
                self.events.setdefault(event.event_id, event)

    async def found(
        self,
        *,
        user_id: UserId | None = None,
        rule: str | None = None,
        since_us: int = 0,
        limit: int = 100,
        offset: int = 0,
    ) -> list[FraudEvent]:
        """See `FraudStore.found`."""
        there = [event for event in self.events.values() if self._fits(event, user_id, rule)]
        newest = sorted(there, key=lambda event: (event.at_us, event.event_id), reverse=True)
        recent = [event for event in newest if event.at_us >= since_us]
        return await self.faults.around(lambda: recent[offset : offset + limit])

    @staticmethod
    def _fits(event: FraudEvent, user_id: UserId | None, rule: str | None) -> bool:
        return user_id in (None, event.user_id) and rule in (None, event.rule)

    async def restricted(self, now_us: int) -> dict[UserId, int]:
        """See `FraudStore.restricted`."""
        return await self.faults.around(
            lambda: {
                key: row.standing.restricted_until_us or 0
                for key, row in self.players.rows.items()
                if row.standing.restricted(now_us)
            }
        )
