"""Looks whether what was sealed is still what stands in the database. As the chains say, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from scoreboard.stores.postgres_pool import Database

#: So many findings of one sort are told; whoever finds more has changed everything.
MOST = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: In place of what is said of the time before there were seals, where somebody has removed that.
NOTHING_SAID = (EPOCH, 0, 0)
#: For one question, seconds: everything that was ever written is read.
PATIENCE_S = 24 * 3600.0

BEGIN = "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'"

CHAINS = "SELECT chain::text, kind, seq, encode(hash, 'hex') FROM audit_chains ORDER BY chain"

COUNTS = """
SELECT (SELECT count(*) FROM audit_batches), (SELECT count(*) FROM score_updates), (SELECT count(*) FROM audit_events)
"""

# Each batch, and what is wrong with it: its own hash, its link to the one before, its place in the count.
BATCHES = """
WITH batch AS (
    SELECT b.chain, b.seq, b.previous, b.hash,
           b.hash = batch_hash(b.previous, b.chain, b.seq, b.sealed_at, b.ids, b.moments, b.digests) AS whole,
           cardinality(b.ids) = cardinality(b.moments) AND cardinality(b.ids) * 16 = length(b.digests) AS even
    FROM audit_batches b
), link AS (
    SELECT b.chain::text, c.kind, b.seq, b.whole AND b.even AS whole, coalesce(lag(b.seq) OVER mine, 0) AS seq_before,
           coalesce(lag(b.hash) OVER mine, chain_beginning(b.chain, c.kind)) = b.previous AS linked
    FROM batch b LEFT JOIN audit_chains c ON c.chain = b.chain
    WINDOW mine AS (PARTITION BY b.chain ORDER BY b.seq)
)
SELECT chain, kind, seq, seq_before, whole, linked FROM link
WHERE kind IS NULL OR NOT whole OR linked IS NOT TRUE OR seq <> seq_before + 1
ORDER BY chain, seq LIMIT $1
"""

# Where the chain ends, as `audit_chains` says and as its last batch says.
ENDS = """
SELECT c.chain::text, c.kind, c.seq, b.seq
FROM audit_chains c
LEFT JOIN LATERAL (SELECT * FROM audit_batches b WHERE b.chain = c.chain ORDER BY b.seq DESC LIMIT 1) b ON true
WHERE (c.seq, c.hash, c.previous) IS DISTINCT FROM (b.seq, b.hash, b.previous)
ORDER BY c.chain LIMIT $1
"""

# Ends of chains that were noted elsewhere at another time.
KNOWN = """
SELECT k.chain::text, k.seq
FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS k (chain, seq, hash)
LEFT JOIN audit_batches b ON b.chain = k.chain AND b.seq = k.seq
WHERE k.hash IS DISTINCT FROM encode(b.hash, 'hex') AND k.seq > 0
"""

ROWS = """
WITH named AS (
    SELECT b.chain, b.seq, r.id, r.moment, substr(b.digests, r.ord::integer * 16 - 15, 16) AS digest
    FROM audit_batches b JOIN audit_chains c ON c.chain = b.chain
    CROSS JOIN LATERAL unnest(b.ids, b.moments) WITH ORDINALITY AS r (id, moment, ord)
    WHERE c.kind = '{kind}'
)
SELECT CASE WHEN t.{id} IS NULL THEN 'removed' WHEN n.id IS NULL THEN 'added' ELSE 'changed' END AS what,
       n.chain::text, n.seq, coalesce(n.id, t.{id})::text AS id, to_us(coalesce(n.moment, t.{moment})) AS moment_us
FROM named n FULL JOIN {table} t ON t.{id} = n.id AND t.{moment} = n.moment
WHERE (n.id IS NULL AND t.{moment} > $2) OR (n.id IS NOT NULL AND t.{id} IS NULL) OR n.digest <> {digest}(t)
ORDER BY moment_us, id LIMIT $1
"""
SCORES = ROWS.format(kind="scores", id="user_id", moment="created_at", table="score_updates", digest="score_digest")
EVENTS = ROWS.format(kind="events", id="event_id", moment="happened_at", table="audit_events", digest="event_digest")

UNSEALED = "SELECT until_at, rows, points::bigint FROM audit_unsealed ORDER BY until_at LIMIT 1"

# That is sealed by one batch for ever: one more, or another, and it may have been changed to hide rows that were added.
SAID = """
SELECT (SELECT array_agg(b.digests) FROM audit_batches b JOIN audit_chains c USING (chain) WHERE c.kind = 'unsealed')
       IS NOT DISTINCT FROM (SELECT array_agg(unsealed_digest(u)) FROM audit_unsealed u)
"""

# Whatever no batch names is older than the seals, and is counted.
OLDER = """
WITH named AS (
    SELECT r.id, r.moment
    FROM audit_batches b JOIN audit_chains c ON c.chain = b.chain
    CROSS JOIN LATERAL unnest(b.ids, b.moments) AS r (id, moment)
    WHERE c.kind = 'scores' AND r.moment <= $1
)
SELECT count(*), coalesce(sum(s.score_increment), 0)::bigint
FROM score_updates s LEFT JOIN named n ON n.id = s.user_id AND n.moment = s.created_at
WHERE s.created_at <= $1 AND n.id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. `what`: changed, removed, added, unlinked, or cut. `says` is for people.

    Of a batch with its `chain` and `seq`; of a row with its `table` and `id`, and the `moment_us` of its time.
    """

    what: str
    says: str
    chain: str | None = None
    seq: int | None = None
    table: str | None = None
    id: str | None = None
    moment_us: int | None = None


UNSAID = Finding(
    "changed", "what is said of the time before there were seals is not what was sealed", table="audit_unsealed"
)


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends: whoever keeps it elsewhere sees later if the end was cut off."""

    chain: str
    kind: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, and what was found. `older` scores are from before there were seals."""

    chains: Sequence[End]
    batches: int
    scores: int
    events: int
    older: int
    findings: Sequence[Finding]


async def verify(database: Database, known: Sequence[Mapping[str, Any]] = (), most: int = MOST) -> Verdict:
    """Look at everything, as it all stands at one moment; a server may go on writing meanwhile.

    `known` are ends of chains from earlier. Raises StoreUnavailable.
    """

    async def work(connection: asyncpg.Connection) -> Verdict:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(BEGIN)
            return await _looked_at(connection, known, most)

    return await database.run(work)


async def _looked_at(connection: asyncpg.Connection, known: Sequence[Mapping[str, Any]], most: int) -> Verdict:
    async def rows(question: str, *arguments: object) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await connection.fetch(question, *arguments, timeout=PATIENCE_S)
        return found

    ends = [End(*row) for row in await rows(CHAINS)]
    [counts] = await rows(COUNTS)
    findings = [finding for row in await rows(BATCHES, most) for finding in _of_batch(row)]
    findings += [_of_end(row) for row in await rows(ENDS, most)]
    columns = [[each[name] for each in known] for name in ("chain", "seq", "hash")]
    findings += [_cut(row[0], row[1]) for row in await rows(KNOWN, *columns)]
    [unsealed] = await rows(UNSEALED) or [NOTHING_SAID]
    [[said]] = await rows(SAID)
    findings += [] if said else [UNSAID]
    findings += [_of_row("score_updates", row) for row in await rows(SCORES, most, unsealed[0])]
    findings += [_of_row("audit_events", row) for row in await rows(EVENTS, most, EPOCH)]
    [older] = await rows(OLDER, unsealed[0])
    if (older[0], older[1]) != (unsealed[1], unsealed[2]):
        findings.append(_of_older(unsealed, older))
    return Verdict(ends, counts[0], counts[1], counts[2], older[0], findings)


def _of_batch(row: asyncpg.Record) -> list[Finding]:
    chain, kind, seq, before, whole, linked = row
    found = []
    if kind is None:
        found.append(Finding("removed", f"chain {chain} has batches, and is not among the chains", chain, seq))
    if seq != before + 1:
        missing = f"batch {before + 1}" if seq == before + 2 else f"batches {before + 1} to {seq - 1}"
        found.append(Finding("removed", f"{missing} of chain {chain} are not there any more", chain, before + 1))
    elif linked is False:
        found.append(Finding("unlinked", f"batch {seq} of chain {chain} does not follow the one before it", chain, seq))
    if not whole:
        found.append(Finding("changed", f"batch {seq} of chain {chain} is not what was sealed", chain, seq))
    return found


def _of_end(row: asyncpg.Record) -> Finding:
    chain, kind, told, found = row
    says = f"chain {chain} ({kind}) should end with batch {told}, and its last one is {found or 'none'}"
    if told == found:
        says = f"the end of chain {chain} ({kind}) is not that of its last batch, {found}"
    return Finding("cut", says, chain, told)


def _cut(chain: str, seq: int) -> Finding:
    return Finding("cut", f"batch {seq} of chain {chain} is not the one that was known", chain, seq)


def _of_row(table: str, row: asyncpg.Record) -> Finding:
    what, chain, seq, row_id, moment_us = row
    where = "no batch names it" if chain is None else f"sealed in batch {seq} of chain {chain}"
    return Finding(what, f"a row of {table} was {what}: {where}", chain, seq, table, row_id, moment_us)


def _of_older(told: Sequence[Any], found: asyncpg.Record) -> Finding:
    says = f"before there were seals there were {told[1]} scores of {told[2]} points; now {found[0]} of {found[1]}"
    return Finding("changed", says, table="score_updates")
