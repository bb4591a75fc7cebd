"""The archive of periods in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import trio

from actors.ports import ArchivedPeriod, ArchivedRow, ArchivePage, Period, Span, StoreUnavailable, UserId
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean
from scoreboard.stores.replicas import Reads

#: For closing a period, seconds: a million players take some ten of them.
PATIENCE_S = 600.0
#: For a page of a period that is being closed, seconds: a million players take three of them.
YET_WITHIN_S = 20.0
#: So many pages are read at once; whoever comes beyond them waits, so that the scores keep connections for themselves.
PAGES_AT_ONCE = 2

# The first partition that has a row tells the month; nothing was written before it began.
OPEN_FROM = """
SELECT coalesce(
    (SELECT to_us(max(ends_at)) FROM leaderboard_snapshots WHERE period = $1),
    (SELECT to_us(date_trunc('month', created_at, 'UTC')) - latest_us()
     FROM (SELECT created_at FROM score_updates LIMIT 1) AS first))
"""

OPEN = "SELECT label FROM open_snapshots($1, $2, $3, $4)"

CLOSE = """
SELECT period, to_us(starts_at), to_us(ends_at), label, state = 'closed', players FROM close_snapshot()
"""
PERIODS = """
SELECT period, to_us(starts_at), to_us(ends_at), label, state = 'closed', players
FROM leaderboard_snapshots WHERE period = $1 ORDER BY starts_at DESC LIMIT $2 OFFSET $3
"""
ONE = """
SELECT period, to_us(starts_at), to_us(ends_at), label, state = 'closed', players, snapshot_id
FROM leaderboard_snapshots WHERE period = $1 AND label = $2
"""

# Who was erased since stands there under the name of now.
_LINES = """
SELECT {rank}, e.user_id::text, coalesce(u.username, e.username), e.score, to_us(e.reached_at), e.country::text,
       CASE WHEN u.user_id IS NULL THEN e.avatar END
FROM leaderboard_entries e
LEFT JOIN user_keys k ON k.user_id = e.user_id AND k.erased_at IS NOT NULL LEFT JOIN users u ON u.user_id = k.user_id
WHERE e.snapshot_id = $1 AND {rank} > $2 AND {condition} ORDER BY {rank} LIMIT $3
"""
PAGE = _LINES.format(rank="e.rank", condition="true")
PAGE_OF_COUNTRY = _LINES.format(rank="e.country_rank", condition="e.country = $4::char(2)")
COUNT_OF_COUNTRY = """
SELECT coalesce(max(country_rank), 0) FROM leaderboard_entries WHERE snapshot_id = $1 AND country = $2::char(2)
"""

# While it is being closed: the same from the ledger, with the count in front also where no line stands any more.
PREPARE_YET = "SET LOCAL statement_timeout = '20s'; SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '32MB'"
PAGE_YET = """
WITH board AS MATERIALIZED (
    SELECT g.*, u.username, u.country, u.avatar FROM gains($1, $2) g JOIN users u ON u.user_id = g.user_id
    WHERE NOT (u.is_banned OR u.is_quarantined) AND ($5::char(2) IS NULL OR u.country = $5::char(2))
)
SELECT total, page.* FROM (SELECT count(*) AS total FROM board) counted
LEFT JOIN (
    SELECT user_id::text, username, score, to_us(reached_at) AS reached_us, country::text, avatar
    FROM board ORDER BY score DESC, reached_at, board.user_id OFFSET $3 LIMIT $4
) page ON true ORDER BY score DESC, reached_us, user_id
"""


def period_in(row: asyncpg.Record) -> ArchivedPeriod:
    """The period that a row describes."""
    return ArchivedPeriod(Period(row[0]), Span(row[1], row[2], row[3]), row[4], row[5])


def line_in(row: Sequence[Any]) -> ArchivedRow:
    """One line of a page."""
    return ArchivedRow(row[0], UserId(row[1]), *row[2:])


class PostgresArchive:
    """`Archive` on Postgres. What is shown of it may come from a replica, `reads`, and be as old as that allows."""

    def __init__(self, database: Database, reads: Reads | None = None) -> None:
        self._database = database
        self._reads = reads or database
        self._reading = trio.CapacityLimiter(PAGES_AT_ONCE)

    async def open_from(self, period: Period) -> int | None:
        """See `Archive.open_from`."""
        found: int | None = await self._database.run(lambda connection: connection.fetchval(OPEN_FROM, period.value))
        return found

    async def open(self, period: Period, spans: Sequence[Span]) -> list[Span]:
        """See `Archive.open`."""
        columns = [[span[column] for span in spans] for column in range(3)]
        rows = await self._database.run(lambda connection: connection.fetch(OPEN, period.value, *columns))
        opened = {row[0] for row in rows}
        return [span for span in spans if span.label in opened]

    async def close_next(self) -> ArchivedPeriod | None:
        """See `Archive.close_next`."""

        async def work(connection: asyncpg.Connection) -> asyncpg.Record | None:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL statement_timeout = '{PATIENCE_S:g}s'")
                return await connection.fetchrow(CLOSE, timeout=PATIENCE_S)

        row = await self._database.run(work)
        return None if row is None else period_in(row)

    async def periods(self, period: Period, *, limit: int, offset: int = 0) -> list[ArchivedPeriod]:
        """See `Archive.periods`."""
        arguments = (period.value, limit, offset)
        rows = await self._reads.run(lambda connection: connection.fetch(PERIODS, *arguments))
        return [period_in(row) for row in rows]

    async def page(
        self, period: Period, label: str, *, limit: int, offset: int = 0, country: str | None = None
    ) -> ArchivePage | None:
        """See `Archive.page`."""

        async def work(connection: asyncpg.Connection) -> ArchivePage | None:
            row = await connection.fetchrow(ONE, period.value, clean(label))
            if row is None:
                return None
            of = period_in(row)
            if of.final:
                return await _closed_page(connection, of, row[6], (offset, limit), country)
            return await _page_yet(connection, of, (offset, limit), country)

        with trio.move_on_after(YET_WITHIN_S):
            async with self._reading:
                return await self._reads.run(work) or await self._database.run(work)  # only the primary says no
        raise StoreUnavailable("too many read the period that is being closed")


async def _page_yet(
    connection: asyncpg.Connection, of: ArchivedPeriod, where: tuple[int, int], country: str | None
) -> ArchivePage:
    async with connection.transaction():
        await connection.execute(PREPARE_YET)
        rows = await connection.fetch(PAGE_YET, *of.span[:2], *where, country, timeout=YET_WITHIN_S)
    lines = (line_in((rank, *row[1:])) for rank, row in enumerate(rows, where[0] + 1) if row[1] is not None)
    return ArchivePage(of, tuple(lines), rows[0][0])


async def _closed_page(
    connection: asyncpg.Connection, of: ArchivedPeriod, snapshot: int, where: tuple[int, int], country: str | None
) -> ArchivePage:
    if country is None:
        rows, total = await connection.fetch(PAGE, snapshot, *where), of.players
    else:
        rows = await connection.fetch(PAGE_OF_COUNTRY, snapshot, *where, country)
        total = await connection.fetchval(COUNT_OF_COUNTRY, snapshot, country)
    return ArchivePage(of, tuple(map(line_in, rows)), total or 0)
