"""Room for a database that is restored: what was there stands aside meanwhile, and comes back if that fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import trio

from actors.ports import StoreError
from scoreboard.stores.backup import BackupError, connected

#: The schema in which the former content stands aside. It is there only while a restore runs, or was killed.
ASIDE = "before_restore"
#: To put back what was there, or to let it go; whoever restores is not let go before.
AT_LAST_WITHIN_S = 60.0

TABLES = (
    "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
)
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
LEFT = "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1"
STAND_ASIDE = f"ALTER SCHEMA public RENAME TO {ASIDE}; CREATE SCHEMA public"
COME_BACK = f"DROP SCHEMA public CASCADE; ALTER SCHEMA {ASIDE} RENAME TO public"
LET_GO = f"DROP SCHEMA {ASIDE} CASCADE"
#: In one that was empty there were no tables; routines of others, of extensions say, may have been there.
ROUTINES = "SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::regnamespace"
CAME = """
SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_catalog.pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
UNION ALL
SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_catalog.pg_proc
WHERE pronamespace = 'public'::regnamespace AND oid <> ALL ($1::oid[])
"""


@asynccontextmanager
async def vacated(url: str, *, clear: bool) -> AsyncGenerator[None]:
    """An empty database for the body. If the body fails, it holds afterwards what it held before.

    With `clear` it may hold something, which is gone for good when the body is done.

    Raises:
        BackupError: it is not empty and is not to be cleared, others use it, or a restore into it was killed.
        StoreError: it is away.
    """
    async with connected(url) as run:
        routines = await run(_stand_aside if clear else _found_empty)
    try:
        yield
    except BaseException as error:
        by_hand = COME_BACK if clear else "repeat it with --clear-database"
        left = f"and what came of it is in the database ({by_hand}). It failed for this: {str(error) or repr(error)}"
        with trio.CancelScope(shield=True):
            await _at_last(url, partial(_put_back, routines=routines), left)
        raise
    if clear:
        await _at_last(url, _let_go, f"all of it is restored, but what was there before still stands aside: {LET_GO}")


async def _found_empty(connection: asyncpg.Connection) -> list[int]:
    """The routines that are in it all the same."""
    await _require_nothing_aside(connection)
    if await connection.fetchval(TABLES):
        remedy = "name one that is, or say --clear-database, and all that is in it goes when the backup is in its place"
        raise BackupError(f"the database is not empty: {remedy}")
    return [row["oid"] for row in await connection.fetch(ROUTINES)]


async def _stand_aside(connection: asyncpg.Connection) -> None:
    """All that is in it, at once."""
    await _require_nothing_aside(connection)
    if others := await connection.fetchval(OTHERS):
        raise BackupError(f"{others} others are connected to the database: end them before it is cleared")
    await connection.execute(STAND_ASIDE)


async def _require_nothing_aside(connection: asyncpg.Connection) -> None:
    """One that was killed could not say whether the old or the new is to stay; the operator can."""
    if await connection.fetchval(LEFT, ASIDE):
        raise BackupError(
            f"a restore into this database was killed, and what was in it before stands in the schema {ASIDE}. "
            f"To have that back: {COME_BACK}. To let it go: {LET_GO}. Then repeat this"
        )


async def _at_last(url: str, work: Callable[[asyncpg.Connection], Awaitable[None]], left: str) -> None:
    """Do it, or say what is left and how that is done by hand. Raises BackupError."""
    try:
        with trio.fail_after(AT_LAST_WITHIN_S):
            async with connected(url) as run:
                await run(work)
    except (StoreError, OSError, trio.TooSlowError) as error:
        raise BackupError(f"{str(error) or 'Postgres does not answer'}; {left}") from error


async def _put_back(connection: asyncpg.Connection, routines: list[int] | None) -> None:
    if routines is None:
        await connection.execute(COME_BACK)
    else:
        async with connection.transaction():
            for (statement,) in await connection.fetch(CAME, routines):
                await connection.execute(statement)


async def _let_go(connection: asyncpg.Connection) -> None:
    await connection.execute(LET_GO)
