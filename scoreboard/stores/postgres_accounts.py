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
    OpenedSession,
    Registered,
    Rotated,
    RotationRefused,
    ScoreFact,
    SessionId,
    Source,
    StoreUnavailable,
    UserId,
)
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import address, clean, name_key, user_agent, user_key

REGISTER = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash,
                   reached_at, created_at, updated_at, last_active)
SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, made.at, made.at, made.at, made.at
FROM (SELECT clock_timestamp() AS at) made  -- the columns' own defaults are moments apart
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

ACCOUNT_OF = """
SELECT user_id::text AS user_id, username, password_hash, role, is_banned AS banned FROM users WHERE user_id = $1
"""

# The row of the player is held, so that a ban, another role or another password comes before this or after it.
OPEN_SESSION = """
WITH owner AS (
    SELECT user_id FROM users
    WHERE user_id = $2 AND ($8::text IS NULL OR (password_hash = $8 AND role = $9 AND NOT is_banned))
    FOR SHARE
), made AS (
    INSERT INTO sessions (session_id, user_id, ip_address, user_agent, created_at, expires_at)
    SELECT $1, user_id, $3::text::inet, $4, from_us($5), from_us($6) FROM owner
    ON CONFLICT DO NOTHING
    RETURNING session_id
), first AS (
    INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
    SELECT $7, session_id, from_us($5), from_us($6) FROM made
    ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT FROM made) OR EXISTS (SELECT FROM sessions WHERE session_id = $1)
"""

SESSIONS = """
SELECT session_id::text, to_us(created_at),
       to_us((SELECT max(issued_at) FROM refresh_tokens t WHERE t.session_id = s.session_id)) AS used,
       to_us(expires_at), host(ip_address), user_agent
FROM sessions s
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > from_us($2)
ORDER BY created_at DESC, session_id
LIMIT 1000
"""

END_SESSIONS = """
UPDATE sessions SET revoked_at = from_us($2)
WHERE user_id = $1 AND revoked_at IS NULL AND ($3::uuid IS NULL OR session_id = $3)
  AND ($4::uuid IS NULL OR session_id <> $4)
RETURNING session_id::text
"""

OTHER_HASH = """
WITH changed AS (
    UPDATE users SET password_hash = $3, updated_at = clock_timestamp()
    WHERE user_id = $1 AND password_hash IN ($2, $3)
    RETURNING user_id
), ended AS (
    UPDATE sessions s SET revoked_at = from_us($5) FROM changed
    WHERE s.user_id = changed.user_id AND s.session_id <> $4 AND s.revoked_at IS NULL
    RETURNING s.session_id::text
)
SELECT EXISTS (SELECT FROM changed), ARRAY (SELECT session_id FROM ended)
"""

CHANGE_ROLE = "UPDATE users SET role = $2, updated_at = clock_timestamp() WHERE user_id = $1 RETURNING user_id"

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

    async def account_of(self, user_id: UserId) -> Account | None:
        """See `AccountStore.account_of`."""
        row = await self._database.run(lambda connection: connection.fetchrow(ACCOUNT_OF, user_key(user_id)))
        return None if row is None else account_in(row)

    async def open_session(self, session: NewSession) -> bool:
        """See `AccountStore.open_session`."""
        proven = session.proven
        arguments = (
            name_key(session.session_id),
            user_key(session.user_id),
            address(session.source.address),
            user_agent(session.source.user_agent),
            session.issued_us,
            session.expires_us,
            session.refresh_hash,
            None if proven is None else proven.password_hash,
            None if proven is None else proven.role,
        )
        opened: bool = await self._database.run(lambda connection: connection.fetchval(OPEN_SESSION, *arguments))
        return opened

    async def sessions(self, user_id: UserId, *, now_us: int) -> list[OpenedSession]:
        """See `AccountStore.sessions`."""
        rows = await self._database.run(lambda connection: connection.fetch(SESSIONS, user_key(user_id), now_us))
        return [OpenedSession(SessionId(row[0]), row[1], row[2], row[3], Source(row[4], row[5])) for row in rows]

    async def end_sessions(
        self, user_id: UserId, *, now_us: int, only: SessionId | None = None, spared: SessionId | None = None
    ) -> list[SessionId]:
        """See `AccountStore.end_sessions`."""
        which = [None if each is None else name_key(each) for each in (only, spared)]
        arguments = (user_key(user_id), now_us, *which)
        rows = await self._database.run(lambda connection: connection.fetch(END_SESSIONS, *arguments))
        return [SessionId(row[0]) for row in rows]

    async def change_password(
        self, proven: Account, password_hash: str, *, spared: SessionId, now_us: int
    ) -> list[SessionId] | None:
        """See `AccountStore.change_password`."""
        arguments = (user_key(proven.user_id), proven.password_hash, password_hash, name_key(spared), now_us)
        row = await self._database.run(lambda connection: connection.fetchrow(OTHER_HASH, *arguments))
        return [SessionId(each) for each in row[1]] if row[0] else None

    async def change_role(self, user_id: UserId, role: str) -> bool:
        """See `AccountStore.change_role`."""
        arguments = (user_key(user_id), clean(role))
        return await self._database.run(lambda connection: connection.fetchval(CHANGE_ROLE, *arguments)) is not None

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
