"""Announcements in Postgres, which triggers write; see the migration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actors.ports import Announcement, News
from scoreboard.stores.postgres_pool import Database

# One row without an announcement says where to go on when there is none. Position and rows are of one snapshot.
_READ = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, id, kind, about::text
FROM (SELECT 1) AS at_least LEFT JOIN announcements ON {condition} ORDER BY id
"""
#: The clock of Postgres may be wrong by so much, or may have been: then what is young seems old.
SLACK = timedelta(days=3)
SINCE = _READ.format(condition="at >= clock_timestamp() - $1::interval")
AFTER = _READ.format(condition="xid >= $1::bigint::text::xid8")

#: Longer than any access token lives.
KEPT = timedelta(days=31)
SWEEP_ANNOUNCEMENTS = "DELETE FROM announcements WHERE at < clock_timestamp() - $1::interval"


class PostgresAnnouncements:
    """`AnnouncementStore` on Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, age_s: float) -> News:
        """See `AnnouncementStore.since`."""
        return await self._read(SINCE, timedelta(seconds=age_s) + SLACK)

    async def after(self, position: int) -> News:
        """See `AnnouncementStore.after`."""
        return await self._read(AFTER, position)

    async def _read(self, query: str, argument: Any) -> News:
        rows = await self._database.run(lambda connection: connection.fetch(query, argument))
        announcements = tuple(Announcement(*row[1:]) for row in rows if row[1] is not None)
        return News(announcements, rows[0][0])
