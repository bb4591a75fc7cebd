"""How players stand, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from actors.ports import (
    Act,
    AuditEvent,
    EventId,
    OutOfReach,
    PlayerStanding,
    ScoreFact,
    StandingChange,
    Stood,
    UnknownUser,
    UserId,
)
from tests.fakes.audit import FakeAuditLog
from tests.fakes.faults import Faults
from tests.fakes.players import Players


class FakeStandingStore:
    """`StandingStore` in memory; `faults` are its switches, `audit` is told of every change."""

    def __init__(self, players: Players, audit: FakeAuditLog | None = None) -> None:
        self.players = players
        self.faults = Faults()
        self.audit = audit or FakeAuditLog()
        self._told: dict[EventId, tuple[PlayerStanding, PlayerStanding]] = {}

    async def standings(self, user_ids: Sequence[UserId]) -> dict[UserId, PlayerStanding]:
        """See `StandingStore.standings`."""
        rows = self.players.rows
        return await self.faults.around(lambda: {key: rows[key].standing for key in user_ids if key in rows})

    async def total(self, user_id: UserId) -> ScoreFact | None:
        """See `StandingStore.total`."""
        return await self.faults.around(lambda: self._total(user_id))

    def _total(self, user_id: UserId) -> ScoreFact | None:
        row = self.players.rows.get(user_id)
        return None if row is None else row.fact()

    async def change_standing(
        self, user_id: UserId, change: StandingChange, act: Act, *, beyond: Collection[str] = ()
    ) -> Stood | OutOfReach | UnknownUser:
        """See `StandingStore.change_standing`."""
        return await self.faults.around(lambda: self._change(user_id, change, act, beyond))

    def _change(
        self, user_id: UserId, change: StandingChange, act: Act, beyond: Collection[str]
    ) -> Stood | OutOfReach | UnknownUser:
        row = self.players.rows.get(user_id)
        if row is None:
            return UnknownUser()
        if act.event_id not in self._told:
            if row.role in beyond:
                return OutOfReach(row.role)
            before = row.standing
            row.standing = replace(before, **change.named)  # type: ignore[arg-type]
            if before.hidden != row.standing.hidden:
                row.version += 1
                self.players.changed(user_id)
            self._told[act.event_id] = before, row.standing
            self.audit.put([_event(user_id, act, before, row.standing)])
        return Stood(*self._told[act.event_id], row.fact())


def _event(user_id: UserId, act: Act, before: PlayerStanding, after: PlayerStanding) -> AuditEvent:
    told = {"before": asdict(before), "after": asdict(after)}
    return replace(act.event(user_id, "STANDING_CHANGED"), details=told)
