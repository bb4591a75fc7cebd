"""Wraps the keys of persons under the master key of now, bite by bite: what an operator does after a rotation."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.personal_keys import Vault
from scoreboard.stores.postgres_pool import Database

#: So many are wrapped in one statement.
BITE = 1_000
FIRST = "00000000-0000-0000-0000-000000000000"

COUNT = """
SELECT (SELECT count(*) FROM user_keys WHERE wrapped IS NOT NULL AND (master = $1) = $2)
     + (SELECT count(*) FROM shared_keys WHERE (master = $1) = $2)
"""

OLD = """
SELECT user_id, master, wrapped FROM user_keys
WHERE wrapped IS NOT NULL AND master <> $1 AND user_id > $2 ORDER BY user_id LIMIT $3
"""

# Who was erased meanwhile stays erased.
KEEP = """
UPDATE user_keys k SET master = $1, wrapped = p.new
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS p (user_id, old, new)
WHERE k.user_id = p.user_id AND k.wrapped = p.old
"""

OLD_SHARED = "SELECT name, master, wrapped FROM shared_keys WHERE master <> $1"
KEEP_SHARED = "UPDATE shared_keys SET master = $2, wrapped = $3 WHERE name = $1"


async def wrapped_by(database: Database, master: str) -> int:
    """How many keys that master key wraps. Raises StoreUnavailable."""
    count: int = await database.run(lambda connection: connection.fetchval(COUNT, master, True))
    return count


async def rewrap(database: Database, vault: Vault, told: Callable[[int, int], None], bite: int = BITE) -> int:
    """Wrap all keys under the master key of now; how many were not. Servers may run, and it may be begun again.

    `told` hears after each bite how many are done, of how many.

    Raises:
        StoreUnavailable: not all is done; or a key does not open, because its master key is not in the folder.
    """
    try:
        master = vault.master()
    except LookupError as error:
        raise StoreUnavailable(str(error)) from error
    of = await database.run(lambda connection: connection.fetchval(COUNT, master, False))
    done, after = 0, FIRST
    told(done, of)
    while True:
        count, after = await database.run(lambda connection, after=after: _bite(connection, vault, master, after, bite))  # type: ignore[misc]
        if not count:
            break
        done += count
        told(done, max(of, done))
    return done + await database.run(lambda connection: _shared(connection, vault, master))


async def _bite(connection: asyncpg.Connection, vault: Vault, master: str, after: str, bite: int) -> tuple[int, str]:
    rows = await connection.fetch(OLD, master, after, bite)
    if not rows:
        return 0, after
    users, old = [row[0] for row in rows], [row[2] for row in rows]
    new = [_again(vault, user.bytes, was, wrapped) for user, was, wrapped in rows]
    await connection.execute(KEEP, master, users, old, new)
    return len(rows), str(users[-1])


async def _shared(connection: asyncpg.Connection, vault: Vault, master: str) -> int:
    rows = await connection.fetch(OLD_SHARED, master)
    for name, was, wrapped in rows:
        await connection.execute(KEEP_SHARED, name, master, _again(vault, name.encode(), was, wrapped))
    return len(rows)


def _again(vault: Vault, name: bytes, master: str, wrapped: bytes) -> bytes:
    key = vault.unwrap(master, wrapped, name)
    if key is None:
        raise StoreUnavailable(f"a key does not open: master key {master} is not in the folder of keys")
    return vault.wrap(key, name)[1]
