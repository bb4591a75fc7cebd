"""Pages of periods that are being closed, computed once for all who ask within some seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import trio

from actors.ports import Archive, ArchivedPeriod, ArchivePage, Period, Span

#: A page that is computed from the ledger of a million players takes Postgres about as long.
KEEP_S = 5.0
#: So many pages are kept; the oldest gives way.
MOST = 64

_Key = tuple[Period, str, int, int, str | None]


class KeptArchive:
    """An `Archive` that tells a page of a period that is not final as it was at most `keep_s` seconds ago.

    Whoever asks for one that is being computed waits for that. What fails is not kept.
    """

    def __init__(self, archive: Archive, *, keep_s: float = KEEP_S, most: int = MOST) -> None:
        self._archive, self._keep_s, self._most = archive, keep_s, most
        self._kept: OrderedDict[_Key, tuple[float, ArchivePage]] = OrderedDict()
        self._computing: dict[_Key, trio.Event] = {}

    def __repr__(self) -> str:
        return f"<KeptArchive, {len(self._kept)} kept, {len(self._computing)} computing>"

    async def open_from(self, period: Period) -> int | None:
        """See `Archive.open_from`."""
        return await self._archive.open_from(period)

    async def open(self, period: Period, spans: Sequence[Span]) -> list[Span]:
        """See `Archive.open`."""
        return await self._archive.open(period, spans)

    async def close_next(self) -> ArchivedPeriod | None:
        """See `Archive.close_next`."""
        return await self._archive.close_next()

    async def periods(self, period: Period, *, limit: int, offset: int = 0) -> list[ArchivedPeriod]:
        """See `Archive.periods`."""
        return await self._archive.periods(period, limit=limit, offset=offset)

    async def page(
        self, period: Period, label: str, *, limit: int, offset: int = 0, country: str | None = None
    ) -> ArchivePage | None:
        """See `Archive.page`."""
        key = (period, label, limit, offset, country)
        while key in self._computing:
            await self._computing[key].wait()
        until, kept = self._kept.get(key, (0.0, None))
        return kept if kept and trio.current_time() < until else await self._compute(key)

    async def _compute(self, key: _Key) -> ArchivePage | None:
        period, label, limit, offset, country = key
        done = self._computing[key] = trio.Event()
        try:
            page = await self._archive.page(period, label, limit=limit, offset=offset, country=country)
        finally:
            del self._computing[key]
            done.set()
        self._kept.pop(key, None)
        if page is not None and not page.of.final:
            self._kept[key] = (trio.current_time() + self._keep_s, page)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return page
