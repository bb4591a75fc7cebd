"""What can be done for points, in Postgres."""

from __future__ import annotations

from collections.abc import Sequence

from actors.ports import ActionKind
from scoreboard.stores.postgres_pool import Database

KINDS = "SELECT action_type, base_points, description, verifier FROM actions WHERE is_active ORDER BY action_type"

SPENT = "SELECT token_hash FROM action_tokens WHERE token_hash = ANY ($1::bytea[])"

PUT = """
INSERT INTO actions (action_type, base_points, description, verifier) VALUES ($1, $2, $3, $4)
ON CONFLICT (action_type) DO UPDATE
SET base_points = excluded.base_points, description = excluded.description, verifier = excluded.verifier,
    is_active = true
"""

RETIRE = "UPDATE actions SET is_active = false WHERE action_type = $1 AND is_active RETURNING action_type"


class PostgresActionCatalogue:
    """`ActionCatalogue` on Postgres, and what an operator may do to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def actions(self) -> dict[str, int]:
        """See `ActionCatalogue.actions`."""
        return {kind.action_type: kind.points for kind in await self.kinds()}

    async def kinds(self) -> list[ActionKind]:
        """See `ActionCatalogue.kinds`."""
        rows = await self._database.run(lambda connection: connection.fetch(KINDS))
        return [ActionKind(*row) for row in rows]

    async def spent(self, token_hashes: Sequence[bytes]) -> set[bytes]:
        """See `ActionCatalogue.spent`."""
        rows = await self._database.run(lambda connection: connection.fetch(SPENT, list(token_hashes)))
        return {row[0] for row in rows}

    async def put(self, kind: ActionKind) -> None:
        """From now on this type of action counts, and so. Raises StoreUnavailable."""
        await self._database.run(lambda connection: connection.execute(PUT, *kind))

    async def retire(self, action_type: str) -> bool:
        """From now on it does not count; False if it did not before. Raises StoreUnavailable."""
        return await self._database.run(lambda connection: connection.fetchval(RETIRE, action_type)) is not None
