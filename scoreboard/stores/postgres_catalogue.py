"""What can be done for points, in Postgres."""

from __future__ import annotations

from actors.ports import ActionKind
from scoreboard.stores.postgres_pool import Database

KINDS = """
SELECT action_type, base_points, description, verifier, key_name, least_s, most, window_s, honeypot
FROM actions WHERE is_active ORDER BY action_type
"""

PUT = """
INSERT INTO actions (action_type, base_points, description, verifier, key_name, least_s, most, window_s, honeypot)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (action_type) DO UPDATE
SET base_points = excluded.base_points, description = excluded.description, verifier = excluded.verifier,
    key_name = excluded.key_name, least_s = excluded.least_s, most = excluded.most, window_s = excluded.window_s,
    honeypot = excluded.honeypot, is_active = true
"""

RETIRE = "UPDATE actions SET is_active = false WHERE action_type = $1 AND is_active RETURNING action_type"


class PostgresActionCatalogue:
    """`ActionCatalogue` on Postgres, and what an operator may do to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def actions(self) -> dict[str, int]:
        """See `ActionCatalogue.actions`."""
        return {kind.action_type: kind.points for kind in await self.kinds() if not kind.honeypot}

    async def kinds(self) -> list[ActionKind]:
        """See `ActionCatalogue.kinds`."""
        rows = await self._database.run(lambda connection: connection.fetch(KINDS))
        return [ActionKind(*row) for row in rows]

    async def put(self, kind: ActionKind) -> None:
        """From now on this type of action counts, and so. Raises StoreUnavailable."""
        await self._database.run(lambda connection: connection.execute(PUT, *kind))

    async def retire(self, action_type: str) -> bool:
        """From now on it does not count; False if it did not before. Raises StoreUnavailable."""
        return await self._database.run(lambda connection: connection.fetchval(RETIRE, action_type)) is not None
