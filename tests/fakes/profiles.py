"""Profiles in memory."""

from __future__ import annotations

from actors.ports import UNCHANGED, BannedUser, Profile, ProfileChange, ScoreFact, StoreFault, UnknownUser, UserId
from tests.fakes.faults import Faults
from tests.fakes.players import Players

CODE = 2


class FakeProfileStore:
    """`ProfileStore` in memory; `faults` are its switches."""

    def __init__(self, players: Players) -> None:
        self.players = players
        self.faults = Faults()

    async def profile(self, user_id: UserId) -> Profile | None:
        """See `ProfileStore.profile`."""
        return await self.faults.around(lambda: self._profile(user_id))

    def _profile(self, user_id: UserId) -> Profile | None:
        row = self.players.rows.get(user_id)
        if row is None:
            return None
        shown = (row.username, row.email, row.role, row.country, row.avatar)
        return Profile(user_id, *shown, row.created_us, row.last_active_us, active=True, banned=row.banned)

    async def change_profile(self, user_id: UserId, change: ProfileChange) -> ScoreFact | UnknownUser | BannedUser:
        """See `ProfileStore.change_profile`."""
        return await self.faults.around(lambda: self._change(user_id, change))

    def _change(self, user_id: UserId, change: ProfileChange) -> ScoreFact | UnknownUser | BannedUser:
        row = self.players.rows.get(user_id)
        if row is None:
            return UnknownUser()
        if row.banned:
            return BannedUser()
        if isinstance(change.country, str) and len(change.country) > CODE:
            raise StoreFault("a country has two letters")
        country = row.country if change.country is UNCHANGED else change.country
        avatar = row.avatar if change.avatar is UNCHANGED else change.avatar
        if (country, avatar) != (row.country, row.avatar):
            row.country, row.avatar = country, avatar
            row.version += 1
            row.last_active_us = self.players.moment()
            self.players.changed(user_id)
        return row.fact()
