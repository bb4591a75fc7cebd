"""The ledger in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from actors.ports import (
    EVERYBODY,
    AnswerRecord,
    BannedUser,
    BoardScope,
    CommitOutcome,
    Committed,
    CommitUnknown,
    KeyConflict,
    KeyLookup,
    MemberPages,
    Members,
    Repeated,
    ScoreFact,
    ScoreWrite,
    Source,
    Span,
    TokenSpent,
    UnknownUser,
    UserId,
)
from scoreboard.stores.chains import Chains
from scoreboard.stores.foresight import Foresight
from scoreboard.stores.personal import SCORE, Personal
from scoreboard.stores.postgres_members import reading_members, these_members
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, name_key, user_key

Value = TypeVar("Value")

# The number of the batch is asked once, with the first row: behind all that the function does.
COMMIT = """
SELECT c.*, CASE c.ord WHEN 1 THEN batch_of($17) END
FROM commit_scores($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) c
"""

# The lock is written, so that this waits for the synchronous replica as the commit of the key did: where that wait was
# given up, its row is seen, and may yet be lost. Who only reads does not wait.
RECALL = """
SELECT i.ord, k.request_hash = i.request_hash AS same, i.user_id::text AS user_id, u.username, k.score, k.version,
       to_us(k.reached_at) AS reached_us, k.points, to_us(coalesce(s.occurred_at, k.reached_at)) AS occurred_us,
       u.country::text AS country, u.avatar, u.is_banned OR u.is_quarantined, k.previous_rank, k.new_rank
FROM unnest($1::uuid[], $2::text[], $3::bytea[]) WITH ORDINALITY AS i (user_id, idempotency_key, request_hash, ord)
JOIN idempotency_keys k ON k.user_id = i.user_id AND k.idempotency_key = i.idempotency_key
JOIN users u ON u.user_id = i.user_id
LEFT JOIN score_updates s ON s.user_id = k.user_id AND s.created_at = k.reached_at
FOR KEY SHARE OF k
"""

MEMBERS = """
SELECT user_id::text AS user_id, username, score, version, to_us(reached_at) AS reached_us, 0, 0, country::text, avatar,
       is_banned OR is_quarantined
FROM users WHERE users.user_id > $1 ORDER BY users.user_id LIMIT $2
"""

FIRST_MEMBERS = MEMBERS.replace("WHERE users.user_id > $1 ", "").replace("$2", "$1")

NOW = "SELECT to_us(clock_timestamp())"

# In small bites, so that no bite runs into the time-out or holds many rows locked. Two that purge at once pass by each
# other. Of tokens the second condition says that the index of those that are not kept for ever will do.
PURGE_BITE = 5_000
PURGE_TOKENS = """
DELETE FROM action_tokens WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM action_tokens WHERE expires_at < from_us($1) AND expires_at < '9999-01-01T00:00Z'
    LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
PURGE_KEYS = """
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < from_us($1) LIMIT $2 FOR UPDATE SKIP LOCKED))
"""

REPEATED, KEY_CONFLICT, KNOWN = 1, 2, 6
REFUSALS: dict[int, CommitOutcome] = {KEY_CONFLICT: KeyConflict(), 3: TokenSpent(), 4: UnknownUser(), 5: BannedUser()}


def segment_starts(writes: Sequence[ScoreWrite]) -> list[int]:
    """Positions, from 1, that cut the writes so that no operation, token or key of a player stands twice in one piece.

    Within a piece the writes do not depend on each other except by their order, so the database judges them together.
    """
    if not _any_twins(writes):
        return [1] if writes else []
    starts: list[int] = []
    seen: set[object] = set()
    for position, write in enumerate(writes, 1):
        marks: list[object] = [("operation", write.operation_id), write.token_hash]
        if write.idempotency_key is not None:
            marks.append((write.user_id, write.idempotency_key))
        if not starts or not seen.isdisjoint(marks):
            starts.append(position)
            seen.clear()
        seen.update(marks)
    return starts


def _any_twins(writes: Sequence[ScoreWrite]) -> bool:
    """Whether anything stands twice anywhere: mostly not, and that is seen without asking where."""
    keyed = [(write.user_id, write.idempotency_key) for write in writes if write.idempotency_key is not None]
    return (
        len({write.operation_id for write in writes}) < len(writes)
        or len({write.token_hash for write in writes}) < len(writes)
        or len(set(keyed)) < len(keyed)
    )


def write_columns(
    writes: Sequence[ScoreWrite], users: Sequence[UUID], sources: Sequence[bytes | None]
) -> tuple[Sequence[object], ...]:
    """The writes as the arrays that `commit_scores` takes: where all have the same it stands there once.

    The driver looks at every element twice before it writes it, which costs more than all the rest of the encoding.
    """
    return (
        [name_key(write.operation_id) for write in writes],
        users,
        _once([write.points for write in writes]),
        _once([write.action_type for write in writes]),
        [write.token_hash for write in writes],
        _once([write.token_expires_us for write in writes]),
        [None if key is None else clean(key) for key in _once([write.idempotency_key for write in writes])],
        _once([write.request_hash for write in writes]),
        sources,
        _once([write.occurred_us for write in writes]),
        [clean(write.action_id) for write in writes],
    )


def _owned(users: list[UUID], sources: list[Source]) -> tuple[Sequence[UUID | None], list[Source]]:
    """Whose the sources are. Of a batch by one of the game's servers one stands for all, for it is no player's."""
    first = _once(sources)
    return ([None], first) if len(first) == 1 and first[0].service else (users, sources)


def _once(column: list[Value]) -> list[Value]:
    """One element for all, if all are the same."""
    return column[:1] if column and column.count(column[0]) == len(column) else column


def answer_columns(answers: Sequence[AnswerRecord]) -> tuple[list[object], ...]:
    """The answers as arrays."""
    return (
        [user_key(answer.user_id) for answer in answers],
        [clean(answer.idempotency_key) for answer in answers],
        [answer.previous_rank for answer in answers],
        [answer.new_rank for answer in answers],
    )


def outcome_of(row: asyncpg.Record, user_id: UserId, batch: int) -> CommitOutcome:
    """One row of `commit_scores`, for the core; `batch` is the number of what was committed with it."""
    kind: int = row[1]
    if kind in REFUSALS:
        return REFUSALS[kind]
    fact = ScoreFact(user_id, *row[2:7], *row[9:13])
    if kind == REPEATED:
        return Repeated(fact, row[6], row[7], row[8])
    return Committed(fact, row[6], kind == KNOWN, 0 if kind == KNOWN else batch)


class PostgresScoreStore:
    """`ScoreStore` on Postgres; `commit` is one statement, so one transaction and round trip.

    One more round trip reads the keys of those players that this worker does not know, for all of a commit together.
    What it writes is sealed with the chain of this worker.
    """

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal
        self._foresight = Foresight()

    async def commit(self, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord] = ()) -> list[CommitOutcome]:
        """See `ScoreStore.commit`."""
        if not writes and not answers:
            return []
        starts = segment_starts(writes)
        if len(starts) == 1 and not self._foresight.news:
            starts.append(len(writes) + 1)  # a piece of nothing: with more than one the database does not attempt it
        users, told = [user_key(write.user_id) for write in writes], answer_columns(answers)
        owners, places = _owned(users, [write.source for write in writes])

        async def work(connection: asyncpg.Connection) -> list[asyncpg.Record]:
            sources = await self._personal.sources_sealed(connection, SCORE, owners, places)
            columns = write_columns(writes, users, sources)
            rows: list[asyncpg.Record] = await connection.fetch(COMMIT, starts, *columns, *told, self._chains.scores)
            return rows

        rows = await self._database.run(work, on_loss=CommitUnknown)
        rows.sort(key=lambda row: row[0])
        batch = (rows[0][13] or 0) if rows else 0
        outcomes = [outcome_of(row, write.user_id, batch) for row, write in zip(rows, writes, strict=True)]
        if writes:
            self._foresight.learn(outcomes)
        return outcomes

    async def recall(self, lookups: Sequence[KeyLookup]) -> list[Repeated | KeyConflict | None]:
        """See `ScoreStore.recall`."""
        users = [user_key(lookup.user_id) for lookup in lookups]
        keys = [clean(lookup.idempotency_key) for lookup in lookups]
        hashes = [lookup.request_hash for lookup in lookups]
        rows = await self._database.run(lambda connection: connection.fetch(RECALL, users, keys, hashes))
        found: list[Repeated | KeyConflict | None] = [None] * len(lookups)
        for row in rows:
            fact = ScoreFact(UserId(row["user_id"]), *row[3:12])
            again = Repeated(fact, fact.points, row["previous_rank"], row["new_rank"])
            found[row["ord"] - 1] = again if row["same"] else KeyConflict()
        return found

    async def members_after(self, user_id: UserId | None, limit: int) -> list[ScoreFact]:
        """See `ScoreStore.members_after`."""
        if user_id is None:
            rows = await self._database.run(lambda connection: connection.fetch(FIRST_MEMBERS, limit))
        else:
            rows = await self._database.run(lambda connection: connection.fetch(MEMBERS, user_key(user_id), limit))
        return [ScoreFact(UserId(row[0]), *row[1:]) for row in rows]

    def all_members(
        self, scope: BoardScope = EVERYBODY, span: Span | None = None
    ) -> AbstractAsyncContextManager[MemberPages]:
        """See `ScoreStore.all_members`."""
        return reading_members(self._database, scope, span)

    async def members_of(self, scope: BoardScope, span: Span | None, user_ids: Sequence[UserId]) -> Members:
        """See `ScoreStore.members_of`."""
        return await these_members(self._database, scope, span, user_ids)

    async def now_us(self) -> int:
        """What the clock of Postgres shows. Raises StoreError."""
        shown: int = await self._database.run(lambda connection: connection.fetchval(NOW))
        return shown

    async def purge(self, *, before_us: int) -> int:
        """See `ScoreStore.purge`."""
        return await self._purged(PURGE_TOKENS, before_us) + await self._purged(PURGE_KEYS, before_us)

    async def _purged(self, statement: str, before_us: int) -> int:
        async def work(connection: asyncpg.Connection) -> str:
            tag: str = await connection.execute(statement, before_us, PURGE_BITE)
            return tag

        gone = 0
        while bite := int((await self._database.run(work)).removeprefix("DELETE ")):
            gone += bite
        return gone
