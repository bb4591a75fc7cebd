"""The archive of periods in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from actors.ports import ArchivedPeriod, ArchivedRow, ArchivePage, Period, Span, UserId
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean

#: For closing a period, seconds: a million players take some ten of them.
PATIENCE_S = 600.0

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

PAGE = """
SELECT rank, user_id::text, username, score, to_us(reached_at), country::text, avatar
FROM leaderboard_entries WHERE snapshot_id = $1 AND rank > $2 ORDER BY rank LIMIT $3
"""
PAGE_OF_COUNTRY = """
SELECT country_rank, user_id::text, username, score, to_us(reached_at), country::text, avatar
FROM leaderboard_entries WHERE snapshot_id = $1 AND country = $4::char(2) AND country_rank > $2
ORDER BY country_rank LIMIT $3
"""
COUNT_OF_COUNTRY = """
SELECT coalesce(max(country_rank), 0) FROM leaderboard_entries WHERE snapshot_id = $1 AND country = $2::char(2)
"""

# While it is being closed: the same from the ledger, with the count in front also where no line stands any more.
PAGE_YET = """
WITH board AS MATERIALIZED (
    SELECT *, CASE WHEN $5::char(2) IS NULL THEN rank ELSE country_rank END AS place FROM standings($1, $2) s
    WHERE $5::char(2) IS NULL OR s.country = $5::char(2)
)
SELECT total, page.* FROM (SELECT count(*) AS total FROM board) counted
LEFT JOIN (
    SELECT place, user_id::text, username, score, to_us(reached_at), country::text, avatar
    FROM board WHERE place > $3 ORDER BY place LIMIT $4
) page ON true ORDER BY place
"""


def period_in(row: asyncpg.Record) -> ArchivedPeriod:
    """The period that a row describes."""
    return ArchivedPeriod(Period(row[0]), Span(row[1], row[2], row[3]), row[4], row[5])


def line_in(row: Sequence[Any]) -> ArchivedRow:
    """One line of a page."""
    return ArchivedRow(row[0], UserId(row[1]), *row[2:])


class PostgresArchive:
    """`Archive` on Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        return [
            period_in(row) for row in await self._database.run(lambda connection: connection.fetch(PERIODS, *arguments))
        ]

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
            rows = await connection.fetch(PAGE_YET, of.span.start_us, of.span.end_us, offset, limit, country)
            lines = tuple(line_in(row[1:]) for row in rows if row[1] is not None)
            return ArchivePage(of, lines, rows[0][0])

        return await self._database.run(work)


async def _closed_page(
    connection: asyncpg.Connection, of: ArchivedPeriod, snapshot: int, where: tuple[int, int], country: str | None
) -> ArchivePage:
    if country is None:
        rows, total = await connection.fetch(PAGE, snapshot, *where), of.players
    else:
        rows = await connection.fetch(PAGE_OF_COUNTRY, snapshot, *where, country)
        total = await connection.fetchval(COUNT_OF_COUNTRY, snapshot, country)
    return ArchivePage(of, tuple(map(line_in, rows)), total or 0)
