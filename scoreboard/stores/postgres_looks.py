"""Fills in what names look like that an earlier version wrote, or still writes beside this one. Bite by bite."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from scoreboard.stores.postgres_pool import Database

#: So many rows are locked for a moment.
BITE = 500

WITHOUT = """
SELECT user_id, username FROM users WHERE look IS NULL ORDER BY user_id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""

# Of several that look alike the one who was first has the look.
FILL = """
WITH wanted AS (
    SELECT p.user_id, p.look, row_number() OVER (PARTITION BY p.look ORDER BY u.created_at, p.user_id) AS place
    FROM unnest($1::uuid[], $2::text[]) AS p (user_id, look) JOIN users u ON u.user_id = p.user_id
)
UPDATE users u
SET look = CASE WHEN w.place > 1 OR EXISTS (SELECT FROM users o WHERE o.look = w.look)
                THEN 'twin:' || u.user_id ELSE w.look END
FROM wanted w WHERE u.user_id = w.user_id
"""


async def fill_looks(database: Database, look_of: Callable[[str], str], bite: int = BITE) -> int:
    """Fill in some; how many. Another worker may do so at once. Raises StoreError: another time."""

    async def work(connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            rows = await connection.fetch(WITHOUT, bite)
            if rows:
                await connection.execute(FILL, [row[0] for row in rows], [look_of(row[1]) for row in rows])
            return len(rows)

    return await database.run(work)
