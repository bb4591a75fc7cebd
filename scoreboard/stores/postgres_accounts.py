"""Players and their sessions in Postgres. Each call that writes may be repeated with the same arguments."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from actors.ports import (
    Account,
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    Registered,
    Rotated,
    RotationRefused,
    ScoreFact,
    SessionId,
    StoreUnavailable,
    UserId,
)
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import address, clean, name_key, user_agent, user_key

REGISTER = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING username, score, version, to_us(reached_at) AS reached_us, 0, 0, country::text, avatar, false
"""

WHO_HAS_IT = """
SELECT user_id = $1 AND username_key = $2 AND email_key = $3 AS same, username_key = $2 AS name, username, score,
version,
       to_us(reached_at) AS reached_us, 0, 0, country::text, avatar, is_banned OR is_quarantined
FROM users WHERE user_id = $1 OR username_key = $2 OR email_key = $3
ORDER BY same DESC, name DESC LIMIT 1
"""

ACCOUNT = """
SELECT user_id::text AS user_id, username, password_hash, role, is_banned AS banned FROM users WHERE username_key = $1
"""

OPEN_SESSION = """
WITH made AS (
    INSERT INTO sessions (session_id, user_id, ip_address, user_agent, created_at, expires_at)
    VALUES ($1, $2, $3::text::inet, $4, from_us($5), from_us($6))
    ON CONFLICT DO NOTHING
    RETURNING session_id
)
INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
SELECT $7, session_id, from_us($5), from_us($6) FROM made
ON CONFLICT DO NOTHING
"""

ROTATE = """
SELECT reason, session_id::text AS session_id, user_id::text AS user_id, username, password_hash, role, banned
FROM rotate_refresh($1, $2, from_us($3), from_us($4), $5)
"""

REVOKE = "UPDATE sessions SET revoked_at = from_us($2) WHERE session_id = $1 AND revoked_at IS NULL"


def account_in(row: asyncpg.Record) -> Account:
    """The account that a row describes."""
    return Account(UserId(row["user_id"]), row["username"], row["password_hash"], row["role"], row["banned"])


class PostgresAccountStore:
    """`AccountStore` on Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, account: NewAccount) -> Registered | NameTaken | EmailTaken:
        """See `AccountStore.register`."""
        user_id = name_key(account.user_id)
        keys = (clean(account.username_key), clean(account.email_key))
        values = (clean(account.username), keys[0], clean(account.email), keys[1], account.password_hash)

        async def work(connection: asyncpg.Connection) -> Registered | NameTaken | EmailTaken:
            row = await connection.fetchrow(REGISTER, user_id, *values)
            if row is not None:
                return Registered(ScoreFact(UserId(str(user_id)), *row))
            row = await connection.fetchrow(WHO_HAS_IT, user_id, *keys)
            if row is None:
                raise StoreUnavailable("the account in the way has just gone")
            if row["same"]:
                return Registered(ScoreFact(UserId(str(user_id)), *row[2:]))
            return NameTaken() if row["name"] else EmailTaken()

        return await self._database.run(work)

    async def account_named(self, username_key: str) -> Account | None:
        """See `AccountStore.account_named`."""
        row = await self._database.run(lambda connection: connection.fetchrow(ACCOUNT, clean(username_key)))
        return None if row is None else account_in(row)

    async def open_session(self, session: NewSession) -> None:
        """See `AccountStore.open_session`."""
        arguments = (
            name_key(session.session_id),
            user_key(session.user_id),
            address(session.source.address),
            user_agent(session.source.user_agent),
            session.issued_us,
            session.expires_us,
            session.refresh_hash,
        )
        await self._database.run(lambda connection: connection.execute(OPEN_SESSION, *arguments))

    async def rotate(
        self, presented: bytes, successor: bytes, *, now_us: int, expires_us: int, grace_us: int
    ) -> Rotated | RotationRefused:
        """See `AccountStore.rotate`."""
        arguments = (presented, successor, now_us, expires_us, timedelta(microseconds=grace_us))
        row = await self._database.run(lambda connection: connection.fetchrow(ROTATE, *arguments))
        session_id = None if row["session_id"] is None else SessionId(row["session_id"])
        if row["reason"] is None and session_id is not None:
            return Rotated(session_id, account_in(row))
        return RotationRefused(row["reason"], session_id)

    async def revoke_session(self, session_id: SessionId, *, now_us: int) -> None:
        """See `AccountStore.revoke_session`."""
        await self._database.run(lambda connection: connection.execute(REVOKE, name_key(session_id), now_us))
