"""Announcements in memory, and a bell."""

from __future__ import annotations

from actors.ports import SESSION_ENDED, USER_ERASED, Announcement, News
from tests.fakes.accounts import FakeAccountStore
from tests.fakes.faults import Faults


class FakeAnnouncements:
    """`AnnouncementStore` over the fake accounts, which commit at once; `faults` are its switches."""

    def __init__(self, accounts: FakeAccountStore) -> None:
        self._accounts = accounts
        self.faults = Faults()

    async def since(self, age_s: float) -> News:
        """See `AnnouncementStore.since`; all are young."""
        return await self.after(0)

    async def after(self, position: int) -> News:
        """See `AnnouncementStore.after`."""
        return await self.faults.around(lambda: self._after(position))

    def _after(self, position: int) -> News:
        ended = [*enumerate(self._accounts.ended, 1)][position:]
        announcements = tuple(Announcement(number, self._kind(about), about) for number, about in ended)
        return News(announcements, len(self._accounts.ended))

    def _kind(self, about: str) -> str:
        return USER_ERASED if about in self._accounts.erased else SESSION_ENDED


class FakeBell:
    """`Bell` in memory."""

    def __init__(self) -> None:
        self.rung = 0
        self.faults = Faults()

    async def ring(self) -> None:
        """See `Bell.ring`."""
        await self.faults.around(self._ring)

    def _ring(self) -> None:
        self.rung += 1

    async def heard(self) -> object:
        """See `Bell.heard`."""
        return await self.faults.around(lambda: self.rung)
