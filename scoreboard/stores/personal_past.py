"""Encrypts what a version before this one has written, or still writes beside this, in the clear. Bite by bite."""

from __future__ import annotations

import asyncpg

from actors.ports import Source
from scoreboard.stores.personal import SESSION, Personal
from scoreboard.stores.postgres_pool import Database

#: So many rows are locked for a moment.
BITE = 500

EMAILS = """
SELECT user_id, email, email_key FROM users WHERE email <> '' ORDER BY user_id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""

# Two that were written by different versions at one moment may have the same address: it stays with the first.
KEEP_EMAILS = """
UPDATE users u
SET email = '', email_sealed = p.sealed,
    email_key = CASE WHEN EXISTS (SELECT FROM users o WHERE o.email_key = p.email_key)
                     THEN 'twin:' || u.user_id ELSE p.email_key END
FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS p (user_id, sealed, email_key)
WHERE u.user_id = p.user_id
"""

SESSIONS = """
SELECT session_id, user_id, host(ip_address), user_agent FROM sessions
WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL
ORDER BY session_id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""

KEEP_SESSIONS = """
UPDATE sessions s SET ip_address = NULL, user_agent = NULL, source = p.source
FROM unnest($1::uuid[], $2::bytea[]) AS p (session_id, source) WHERE s.session_id = p.session_id
"""


async def encrypt_emails(database: Database, personal: Personal, bite: int = BITE) -> int:
    """Encrypt some e-mail addresses; how many. Another worker may do so at once. Raises StoreUnavailable."""

    async def work(connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            rows = await connection.fetch(EMAILS, bite)
            users = [row[0] for row in rows]
            keys = await personal.keys.of(connection, users) if users else {}
            sealed = [personal.email_sealed(keys[user], user, text) if user in keys else None for user, text, _ in rows]
            hashed = [await personal.email_key(connection, folded) for *_, folded in rows]
            if rows:
                await connection.execute(KEEP_EMAILS, users, sealed, hashed)
            return len(rows)

    return await database.run(work)


async def encrypt_sessions(database: Database, personal: Personal, bite: int = BITE) -> int:
    """Encrypt where some sessions were opened from; how many. Raises StoreUnavailable."""

    async def work(connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            rows = await connection.fetch(SESSIONS, bite)
            places = [Source(row[2], row[3]) for row in rows]
            sealed = await personal.sources_sealed(connection, SESSION, [row[1] for row in rows], places)
            if rows:
                await connection.execute(KEEP_SESSIONS, [row[0] for row in rows], sealed)
            return len(rows)

    return await database.run(work)
