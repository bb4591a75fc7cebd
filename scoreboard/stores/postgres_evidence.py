"""The proofs of actions, in Postgres."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from actors.ports import MOST_EARLIER, Earlier, Evidence, Grant
from scoreboard.stores.personal import PROOF, Personal
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, user_key

# In one order, so that two servers wait for each other in one direction only. A statement of its own: what the next one
# sees is decided when it begins.
LOCK = """
SELECT pg_advisory_xact_lock(l.lock) FROM (
    SELECT DISTINCT hashtextextended('proofs of ' || user_id, 0) AS lock
    FROM unnest($1::uuid[]) AS p (user_id) ORDER BY 1
) l
"""

EARLIER = """
SELECT EXISTS (SELECT 1 FROM action_tokens t WHERE t.token_hash = p.name),
       (SELECT e.action_type FROM action_evidence e WHERE e.action_name = p.name AND e.user_id = p.user_id),
       CASE WHEN p.since_us IS NULL THEN NULL ELSE ARRAY(
           SELECT to_us(e.proven_at) FROM action_evidence e
           WHERE e.user_id = p.user_id AND e.action_type = p.action_type AND e.proven_at > from_us(p.since_us)
             AND e.action_name <> p.name
           ORDER BY e.proven_at DESC LIMIT $5
       ) END
FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY
     AS p (name, user_id, action_type, since_us, ord)
ORDER BY p.ord
"""

KEEP = """
INSERT INTO action_evidence (action_name, user_id, action_type, action_id, points, verifier, key_name, key_id,
                             proof_time, signature, proven_at, source)
SELECT name, user_id, action_type, action_id, points, verifier, key_name, key_id,
       proof_time, signature, from_us(proven_us), source
FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::bigint[], $12::bytea[])
     AS p (name, user_id, action_type, action_id, points, verifier, key_name, key_id,
           proof_time, signature, proven_us, source)
ON CONFLICT DO NOTHING
RETURNING 1
"""


class PostgresEvidenceStore:
    """`EvidenceStore` on Postgres."""

    def __init__(self, database: Database, personal: Personal) -> None:
        self._database = database
        self._personal = personal

    async def settle(self, proofs: Sequence[Evidence], since_us: Sequence[int | None], grant: Grant) -> None:
        """See `EvidenceStore.settle`. Where earlier actions tell nothing, nobody is locked and no transaction begun.

        Then all that is written is one statement, and what may come between it and the question changes nothing.
        """
        paced = [user_key(proof.user_id) for proof, since in zip(proofs, since_us, strict=True) if since is not None]

        async def work(connection: asyncpg.Connection) -> None:
            if not paced:
                await self._settle(connection, proofs, since_us, grant)
                return
            async with connection.transaction():
                await connection.execute(LOCK, paced)
                await self._settle(connection, proofs, since_us, grant)

        await self._database.run(work)

    async def _settle(
        self,
        connection: asyncpg.Connection,
        proofs: Sequence[Evidence],
        since_us: Sequence[int | None],
        grant: Grant,
    ) -> None:
        users = [user_key(proof.user_id) for proof in proofs]
        asked = ([proof.name for proof in proofs], users, [clean(proof.action_type) for proof in proofs])
        rows = await connection.fetch(EARLIER, *asked, list(since_us), MOST_EARLIER)
        granted = grant([Earlier(counted, kept_as, tuple(moments or ())) for counted, kept_as, moments in rows])
        new: dict[tuple[bytes, UUID], Evidence] = {}
        for proof, user, row, good in zip(proofs, users, rows, granted, strict=True):
            if good and row[1] is None:
                new.setdefault((proof.name, user), proof)
        if new and await self._keep(connection, list(new.values())) < len(new):
            await self._settle(connection, proofs, since_us, grant)  # others were first: what they kept shows now

    async def _keep(self, connection: asyncpg.Connection, proofs: Sequence[Evidence]) -> int:
        """How many of them were new."""
        owners, places = [user_key(proof.user_id) for proof in proofs], [proof.source for proof in proofs]
        sources = await self._personal.sources_sealed(connection, PROOF, owners, places)
        rows = [(*_row(proof), source) for proof, source in zip(proofs, sources, strict=True)]
        return len(await connection.fetch(KEEP, *map(list, zip(*rows, strict=True))))


def _row(proof: Evidence) -> tuple[object, ...]:
    """The columns of `KEEP`, but for the last."""
    return (
        proof.name,
        user_key(proof.user_id),
        clean(proof.action_type),
        clean(proof.action_id),
        proof.points,
        proof.verifier,
        proof.key,
        proof.key_id,
        clean(proof.timestamp),
        clean(proof.signature),
        proof.moment_us,
    )
