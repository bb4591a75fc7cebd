"""A database as one file, and back: PostgreSQL's own pg_dump and pg_restore, and what must be the same after both."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
import trio
import trio_asyncio

from actors.ports import StoreError, StoreUnavailable
from scoreboard.stores.embedded_postgres import binary

T = TypeVar("T")

CONNECT_S = 10.0
#: A look at every row of a large ledger takes a while.
COUNTED_WITHIN_S = 3600.0
#: What every player has, and where: by score, by who reached it first, by id.
CONTENTS = """
SELECT count(*) AS players, coalesce(sum(score), 0)::bigint AS points,
       coalesce(sum(hashtextextended(user_id::text || ':' || score || ':' || place, 0)::numeric), 0)::text AS ranks,
       (SELECT count(*) FROM score_updates) AS scores,
       (SELECT coalesce(sum(score_increment), 0)::bigint FROM score_updates) AS earned,
       (SELECT count(*) FROM action_tokens) AS spent_tokens,
       (SELECT count(*) FROM idempotency_keys) AS idempotency_keys,
       (SELECT count(*) FROM sessions) AS sessions,
       (SELECT count(*) FROM leaderboard_entries) AS archived,
       (SELECT count(*) FROM audit_batches) AS audit_batches,
       (SELECT count(*) FROM audit_events) AS audit_events,
       (SELECT count(*) FROM schema_migrations) AS migrations
FROM (SELECT user_id, score, row_number() OVER (ORDER BY score DESC, reached_at, user_id) AS place FROM users) ranked
"""
#: Numbers of transactions are those of the cluster that was dumped; here they would be of the past, or of the future.
#: And what is here is another history, also if its timeline has the same number; a dump of before has no names of them.
HERE = """
UPDATE announcements SET xid = pg_current_xact_id();
DELETE FROM player_changes;
DO $$ BEGIN IF to_regclass('histories') IS NOT NULL THEN DELETE FROM histories; END IF; END $$
"""


class BackupError(Exception):
    """It cannot be dumped, or not be restored; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Counts, sums, and a digest of the order of all players; equal before and after."""

    players: int
    points: int
    ranks: str
    scores: int
    earned: int
    spent_tokens: int
    idempotency_keys: int
    sessions: int
    archived: int
    audit_batches: int
    audit_events: int
    migrations: int


async def dump(url: str, file: Path) -> Contents:
    """Write all of a database to a file, as of one moment, beside those who write; what it held then.

    Raises:
        StoreError: the database is away.
        BackupError: pg_dump says why not.
    """
    async with connected(url) as run:
        await run(lambda connection: connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        snapshot = await run(lambda connection: connection.fetchval("SELECT pg_export_snapshot()"))
        contents = await run(_contents)
        words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={file}"]
        try:
            await _program("pg_dump", [*words, "--lock-wait-timeout=10s"], url)
        except BackupError as error:
            raise BackupError(f"{file} was not written: {error}") from error
    return contents


async def restore(url: str, file: Path) -> Contents:
    """Fill an empty database with what `dump` wrote, all or nothing; what it holds now. Raises as `dump`."""
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    await _program("pg_restore", [*words, f"{file}"], url)
    async with connected(url) as run:
        await run(lambda connection: connection.execute(HERE))
        return await run(_contents)


async def _contents(connection: asyncpg.Connection) -> Contents:
    return Contents(**dict(await connection.fetchrow(CONTENTS, timeout=COUNTED_WITHIN_S)))


@asynccontextmanager
async def connected(
    url: str,
) -> AsyncIterator[Callable[[Callable[[asyncpg.Connection], Awaitable[T]]], Awaitable[T]]]:
    """Does units of work on one connection of its own; an error of the block leaves as it is, not in a group."""
    failure: Exception | None = None
    async with trio_asyncio.open_loop() as loop:
        try:
            connection = await loop.run_aio_coroutine(asyncpg.connect(url, timeout=CONNECT_S))

            async def run(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
                async def unit() -> T:
                    return await work(connection)

                result: T = await loop.run_aio_coroutine(unit())
                return result

            try:
                yield run
            finally:
                connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            failure = StoreUnavailable(f"Postgres: {error}")
        except (BackupError, StoreError, OSError) as error:
            failure = error
    if failure is not None:
        raise failure


async def _program(name: str, words: list[str], url: str) -> None:
    """Run one of PostgreSQL's. The password goes by the environment: everybody on the machine sees arguments."""
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    account, _, password = user.partition(":")
    named = urlunsplit(parts._replace(netloc=f"{account}@{hosts}" if account else hosts))
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    environ |= {"PGPASSWORD": unquote(password), "PGCONNECT_TIMEOUT": f"{CONNECT_S:.0f}", "LC_ALL": "C"}
    done = await trio.run_process(
        [str(binary(name)), *words, f"--dbname={named}"],
        env=environ,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[:3]
        raise BackupError("; ".join(said) or f"{name} ended with {done.returncode}")
