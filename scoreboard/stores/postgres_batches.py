"""What other workers have committed, in Postgres; see the migration of followers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import asyncpg

from actors.ports import Batch, ChainId, ScoreFact, Sight, Stretch, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.postgres_history import Histories
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import user_key

# One statement, so one snapshot, and the next look tells what that did not see: whatever came of a transaction that was
# still running. The index finds all that is behind the oldest of those.
LOOK = """
SELECT to_us(clock_timestamp()), pg_current_snapshot()::text,
       ARRAY(SELECT ROW(c.chain::text, c.seq) FROM audit_chains c
             LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS k (chain, seq) ON k.chain = c.chain
             WHERE c.kind = 'scores' AND c.chain <> $3::uuid AND c.seq > coalesce(k.seq, 0)),
       ARRAY(SELECT DISTINCT p.user_id::text FROM player_changes p
             WHERE p.xid >= pg_snapshot_xmin($4::text::pg_snapshot)
               AND NOT pg_visible_in_snapshot(p.xid, $4::text::pg_snapshot))
"""

READ = """
SELECT chain::text, seq, user_id::text, username, score, version, reached_us, points, occurred_us, country, avatar,
       hidden
FROM batches_after($1, $2, $3, $4)
"""

TOTALS = """
SELECT user_id::text, username, score, version, to_us(reached_at), 0, 0, country::text, avatar,
       is_banned OR is_quarantined
FROM users WHERE user_id = ANY ($1::uuid[])
"""

KEPT = timedelta(days=1)
SWEEP_CHANGES = "DELETE FROM player_changes WHERE at < clock_timestamp() - $1::interval"


class PostgresBatches:
    """`BatchStore` on Postgres. Each promotion of a replica begins another history."""

    changes_kept_us = KEPT // timedelta(microseconds=1)

    def __init__(self, database: Database, chains: Chains) -> None:
        self._database = database
        self._own = chains.scores
        self._histories = Histories()

    def __repr__(self) -> str:
        return f"<PostgresBatches beside {self._own}>"

    async def look(self, known: Mapping[ChainId, int], position: str | None) -> Sight:
        """See `BatchStore.look`."""
        arguments = ([UUID(chain) for chain in known], list(known.values()), self._own)

        async def work(connection: asyncpg.Connection) -> tuple[str, asyncpg.Record]:
            return await self._histories.name(connection), await connection.fetchrow(LOOK, *arguments, position)

        history, (at_us, seen, newest, changed) = await self._database.run(work)
        players = frozenset(None if user_id is None else UserId(user_id) for user_id in changed)
        return Sight(at_us, {ChainId(chain): number for chain, number in newest}, players, seen, history)

    async def read(self, wanted: Mapping[ChainId, Stretch], limit: int) -> list[Batch]:
        """See `BatchStore.read`."""
        chains, after, upto = [UUID(chain) for chain in wanted], *zip(*wanted.values(), strict=True)
        rows = await self._database.run(lambda connection: connection.fetch(READ, chains, after, upto, limit))
        return [
            Batch(ChainId(chain), number, tuple(ScoreFact(UserId(row[2]), *row[3:]) for row in own))
            for (chain, number), own in groupby(rows, itemgetter(0, 1))
        ]

    async def totals(self, user_ids: Sequence[UserId]) -> list[ScoreFact]:
        """See `BatchStore.totals`."""
        keys = [user_key(user_id) for user_id in user_ids]
        rows = await self._database.run(lambda connection: connection.fetch(TOTALS, keys))
        return [ScoreFact(UserId(row[0]), *row[1:]) for row in rows]
