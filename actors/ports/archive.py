"""The archive of periods that are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from actors.ports.boards import Period, Span
from actors.ports.ids import UserId


class ArchivedPeriod(NamedTuple):
    """A period that is over. Until it is `final` late writes still come to it, and its `players` are not counted."""

    period: Period
    span: Span
    final: bool
    players: int | None


class ArchivedRow(NamedTuple):
    """One line, with name, country and avatar as they were when the period was closed. `rank` from 1, on that board."""

    rank: int
    user_id: UserId
    username: str
    score: int
    reached_us: int
    country: str | None
    avatar: str | None


class ArchivePage(NamedTuple):
    """Lines of a period in order; `total` counts all of them (of the country that was asked for)."""

    of: ArchivedPeriod
    rows: tuple[ArchivedRow, ...]
    total: int


class Archive(Protocol):
    """Each day, week and month in which anything was gained, kept for ever as it ended.

    A period is opened when it is over, by exactly one of all who try; while it is not final its pages are computed from
    the ledger. Once no write can come to it any more (`LATEST_US` after its end) it is closed, once, and never changes
    again. Ranks: score descending, first to reach it, user id. All methods raise StoreUnavailable.
    """

    async def open_from(self, period: Period) -> int | None:
        """From which moment (us) on spans of this kind may be missing: the end of the last one that was opened.

        If there is none, a moment before the first score; None if nobody has ever scored.
        """
        ...

    async def open(self, period: Period, spans: Sequence[Span]) -> list[Span]:
        """Open these, which are over, and have none between them that was left out; tells those that this call opened.

        One in which nothing was gained is passed by, as is one whose label or beginning is there already.
        """
        ...

    async def close_next(self) -> ArchivedPeriod | None:
        """Close the oldest that is due and that nobody else is closing; None if there is none. May take long."""
        ...

    async def periods(self, period: Period, *, limit: int, offset: int = 0) -> list[ArchivedPeriod]:
        """Those that are over, the newest first."""
        ...

    async def page(
        self, period: Period, label: str, *, limit: int, offset: int = 0, country: str | None = None
    ) -> ArchivePage | None:
        """Lines of one, of all players or of a country with the ranks there; None if there is no such period."""
        ...
