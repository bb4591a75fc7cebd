"""What can be done for points, in Postgres."""

from __future__ import annotations

import asyncpg

from actors.ports import ActionKind, AuditEvent
from scoreboard.stores.chains import Chains
from scoreboard.stores.personal import Personal
from scoreboard.stores.postgres_audit import write_events
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

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal

    async def actions(self) -> dict[str, int]:
        """See `ActionCatalogue.actions`."""
        return {kind.action_type: kind.points for kind in await self.kinds() if not kind.honeypot}

    async def kinds(self) -> list[ActionKind]:
        """See `ActionCatalogue.kinds`."""
        rows = await self._database.run(lambda connection: connection.fetch(KINDS))
        return [ActionKind(*row) for row in rows]

    async def put(self, kind: ActionKind, record: AuditEvent | None = None) -> None:
        """From now on this type of action counts, and so; recorded in the same transaction. Raises StoreUnavailable."""

        async def work(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                await connection.execute(PUT, *kind)
                await self._record(connection, record)

        await self._database.run(work)

    async def retire(self, action_type: str, record: AuditEvent | None = None) -> bool:
        """From now on it does not count, which is recorded likewise; False if it did not before, and nothing is.

        Raises StoreUnavailable.
        """

        async def work(connection: asyncpg.Connection) -> bool:
            async with connection.transaction():
                if await connection.fetchval(RETIRE, action_type) is None:
                    return False
                await self._record(connection, record)
                return True

        return await self._database.run(work)

    async def _record(self, connection: asyncpg.Connection, record: AuditEvent | None) -> None:
        if record is not None:
            await write_events(connection, self._personal, self._chains, [record])
