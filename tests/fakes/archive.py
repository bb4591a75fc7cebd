"""The archive in memory: every period computed from the ledger, and kept as it was when it was closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors.ports import LATEST_US, ArchivedPeriod, ArchivedRow, ArchivePage, Period, Span, WallClock
from tests.fakes.faults import Faults
from tests.fakes.scores import FakeScoreStore

MINUTE_US = 60_000_000


@dataclass(slots=True)
class _Opened:
    period: Period
    span: Span
    rows: list[ArchivedRow] | None = None

    def told(self) -> ArchivedPeriod:
        return ArchivedPeriod(
            self.period, self.span, self.rows is not None, None if self.rows is None else len(self.rows)
        )


class FakeArchive:
    """`Archive` in memory; `faults` are its switches."""

    def __init__(self, scores: FakeScoreStore, clock: WallClock) -> None:
        self.faults = Faults()
        self._scores, self._clock = scores, clock
        self._opened: list[_Opened] = []

    def _of(self, period: Period) -> list[_Opened]:
        """The newest first."""
        return sorted([each for each in self._opened if each.period is period], key=lambda each: -each.span.start_us)

    async def open_from(self, period: Period) -> int | None:
        """See `Archive.open_from`."""
        return await self.faults.around(lambda: self._open_from(period))

    def _open_from(self, period: Period) -> int | None:
        opened = [each.span.end_us for each in self._of(period)]
        firsts = [outcome.fact.reached_us - LATEST_US for _, outcome in self._scores.ledger[:1]]
        return max(opened) if opened else min(firsts, default=None)

    async def open(self, period: Period, spans: Sequence[Span]) -> list[Span]:
        """See `Archive.open`."""
        return await self.faults.around(lambda: [span for span in spans if self._open(period, span)])

    def _open(self, period: Period, span: Span) -> bool:
        known = any(span.label == each.span.label or span.start_us == each.span.start_us for each in self._of(period))
        if known or not self._scores.gained(span):
            return False
        self._opened.append(_Opened(period, span))
        return True

    async def close_next(self) -> ArchivedPeriod | None:
        """See `Archive.close_next`."""
        return await self.faults.around(self._close)

    def _close(self) -> ArchivedPeriod | None:
        due_us = self._clock.now_us() - LATEST_US - MINUTE_US
        for each in sorted(self._opened, key=lambda each: each.span.end_us):
            if each.rows is None and each.span.end_us < due_us:
                each.rows = self._ranked(each.span)
                return each.told()
        return None

    def _ranked(self, span: Span) -> list[ArchivedRow]:
        players = self._scores.players.rows
        gains = {key: gain for key, gain in self._scores.gained(span).items() if not players[key].standing.hidden}
        order = sorted(gains, key=lambda key: (-gains[key][0], gains[key][1], key))
        shown = [(key, players[key].username, *gains[key], players[key].country, players[key].avatar) for key in order]
        return [ArchivedRow(rank, *row) for rank, row in enumerate(shown, 1)]

    async def periods(self, period: Period, *, limit: int, offset: int = 0) -> list[ArchivedPeriod]:
        """See `Archive.periods`."""
        return await self.faults.around(lambda: [each.told() for each in self._of(period)][offset : offset + limit])

    async def page(
        self, period: Period, label: str, *, limit: int, offset: int = 0, country: str | None = None
    ) -> ArchivePage | None:
        """See `Archive.page`."""
        return await self.faults.around(lambda: self._page(period, label, limit, offset, country))

    def _page(self, period: Period, label: str, limit: int, offset: int, country: str | None) -> ArchivePage | None:
        for each in self._of(period):
            if each.span.label == label:
                rows = self._ranked(each.span) if each.rows is None else each.rows
                there = [row for row in rows if country in (None, row.country)]
                ranked = [row._replace(rank=rank) for rank, row in enumerate(there, 1)]
                return ArchivePage(each.told(), tuple(ranked[offset : offset + limit]), len(ranked))
        return None
