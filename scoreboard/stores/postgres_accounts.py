"""Players and their sessions in Postgres. Each call that writes may be repeated with the same arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import asyncpg
from msgspec import json

from actors.ports import (
    Account,
    Act,
    AuditEvent,
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    OpenedSession,
    OutOfReach,
    Registered,
    RoleChanged,
    Rotated,
    RotationRefused,
    ScoreFact,
    SessionId,
    SignedOut,
    StoreUnavailable,
    UnknownUser,
    UserId,
)
from scoreboard.stores.chains import Chains
from scoreboard.stores.personal import SESSION, Personal, Row
from scoreboard.stores.postgres_audit import sealed_event
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, name_key, user_key

# An address that a version before this wrote stands in the clear until it is encrypted: $6 is that.
REGISTER = """
WITH made AS (
    INSERT INTO users (user_id, username, username_key, email, email_sealed, email_key, password_hash, look,
                       reached_at, created_at, updated_at, last_active)
    SELECT $1::uuid, $2::text, $3::text, '', $4::bytea, $5::text, $7::text, $8::text, m.at, m.at, m.at, m.at
    FROM (SELECT clock_timestamp() AS at) m  -- the columns' own defaults are moments apart
    WHERE NOT EXISTS (SELECT FROM users WHERE email_key = $6::text)
    ON CONFLICT DO NOTHING
    RETURNING user_id, username, score, version, to_us(reached_at) AS reached_us, country::text, avatar
), kept AS (
    INSERT INTO user_keys (user_id, master, wrapped) SELECT user_id, $9::text, $10::bytea FROM made
)
SELECT username, score, version, reached_us, 0, 0, country, avatar, false FROM made
"""

WHO_HAS_IT = """
SELECT user_id = $1 AND username_key = $2 AND email_key IN ($3, $4) AS same, username_key = $2 AS name,
       coalesce(look = $5, false) AS alike, username, score, version, to_us(reached_at) AS reached_us, 0, 0,
       country::text, avatar, is_banned OR is_quarantined
FROM users WHERE user_id = $1 OR username_key = $2 OR email_key IN ($3, $4) OR look = $5
ORDER BY same DESC, name DESC, alike DESC LIMIT 1
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
    WHERE user_id = $2 AND ($7::text IS NULL OR (password_hash = $7 AND role = $8 AND NOT is_banned))
    FOR SHARE
), made AS (
    INSERT INTO sessions (session_id, user_id, source, created_at, expires_at)
    SELECT $1, user_id, $3, from_us($4), from_us($5) FROM owner
    ON CONFLICT DO NOTHING
    RETURNING session_id
), first AS (
    INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
    SELECT $6, session_id, from_us($4), from_us($5) FROM made
    ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT FROM made) OR EXISTS (SELECT FROM sessions WHERE session_id = $1)
"""

SESSIONS = """
SELECT session_id::text, to_us(created_at),
       to_us((SELECT max(issued_at) FROM refresh_tokens t WHERE t.session_id = s.session_id)) AS used,
       to_us(expires_at), source, host(ip_address), user_agent
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

# Whoever opens a session meanwhile holds the player's row, so this waits; then `END_SESSIONS` sees that session. One
# statement for both would not: what it sees is decided when it begins.
OTHER_HASH = """
UPDATE users SET password_hash = $3, updated_at = clock_timestamp()
WHERE user_id = $1 AND password_hash IN ($2, $3)
RETURNING true
"""

CHANGE_ROLE = "SELECT role, told FROM change_role($1, $2, $3, $4, $5)"
SIGN_OUT = "SELECT role, told, ended::text[] FROM sign_out($1, $2, $3, $4)"

ROTATE = """
SELECT reason, session_id::text AS session_id, user_id::text AS user_id, username, password_hash, role, banned
FROM rotate_refresh($1, $2, from_us($3), from_us($4), $5)
"""

REVOKE = "UPDATE sessions SET revoked_at = from_us($2) WHERE session_id = $1 AND revoked_at IS NULL"


def account_in(row: asyncpg.Record) -> Account:
    """The account that a row describes."""
    return Account(UserId(row["user_id"]), row["username"], row["password_hash"], row["role"], row["banned"])


def _refused(row: asyncpg.Record | None) -> OutOfReach | UnknownUser | None:
    """Why an act was not done."""
    if row is None:
        return UnknownUser()
    return OutOfReach(row["role"]) if row["told"] is None else None


class PostgresAccountStore:
    """`AccountStore` on Postgres."""

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal

    async def register(self, account: NewAccount) -> Registered | NameTaken | EmailTaken:
        """See `AccountStore.register`."""
        user_id = name_key(account.user_id)
        name_folded, email_folded = clean(account.username_key), clean(account.email_key)
        look = None if account.look is None else clean(account.look)
        key = self._personal.keys.fresh(user_id.bytes)
        sealed = self._personal.email_sealed(key.key, user_id, account.email)

        async def work(connection: asyncpg.Connection) -> Registered | NameTaken | EmailTaken:
            email_key = await self._personal.email_key(connection, email_folded)
            values = (
                clean(account.username),
                name_folded,
                sealed,
                email_key,
                email_folded,
                account.password_hash,
                look,
            )
            row = await connection.fetchrow(REGISTER, user_id, *values, key.master, key.wrapped)
            if row is not None:
                self._personal.keys.hold(user_id, key.key)
                return Registered(ScoreFact(UserId(str(user_id)), *row))
            row = await connection.fetchrow(WHO_HAS_IT, user_id, name_folded, email_key, email_folded, look)
            if row is None:
                raise StoreUnavailable("the account in the way has just gone")
            if row["same"]:
                return Registered(ScoreFact(UserId(str(user_id)), *row[3:]))
            return NameTaken(alike=not row["name"]) if row["name"] or row["alike"] else EmailTaken()

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
        proven, owner = session.proven, user_key(session.user_id)
        arguments = (
            session.issued_us,
            session.expires_us,
            session.refresh_hash,
            None if proven is None else proven.password_hash,
            None if proven is None else proven.role,
        )

        async def work(connection: asyncpg.Connection) -> bool:
            [source] = await self._personal.sources_sealed(connection, SESSION, [owner], [session.source])
            named = (name_key(session.session_id), owner, source)
            opened: bool = await connection.fetchval(OPEN_SESSION, *named, *arguments)
            return opened

        return await self._database.run(work)

    async def sessions(self, user_id: UserId, *, now_us: int) -> list[OpenedSession]:
        """See `AccountStore.sessions`."""
        owner = user_key(user_id)

        async def work(connection: asyncpg.Connection) -> list[OpenedSession]:
            rows = await connection.fetch(SESSIONS, owner, now_us)
            sources = await self._personal.sources(connection, [Row(SESSION, owner, *row[4:7]) for row in rows])
            told = zip(rows, sources, strict=True)
            return [OpenedSession(SessionId(row[0]), row[1], row[2], row[3], source) for row, source in told]

        return await self._database.run(work)

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
        owner = user_key(proven.user_id)

        async def work(connection: asyncpg.Connection) -> list[asyncpg.Record] | None:
            async with connection.transaction():
                if not await connection.fetchval(OTHER_HASH, owner, proven.password_hash, password_hash):
                    return None
                found: list[asyncpg.Record] = await connection.fetch(
                    END_SESSIONS, owner, now_us, None, name_key(spared)
                )
                return found

        ended = await self._database.run(work)
        return None if ended is None else [SessionId(row[0]) for row in ended]

    async def change_role(
        self, user_id: UserId, role: str, act: Act, *, beyond: Collection[str] = ()
    ) -> RoleChanged | OutOfReach | UnknownUser:
        """See `AccountStore.change_role`."""
        arguments = (user_key(user_id), clean(role), list(beyond), self._chains.events)
        row = await self._database.run(self._recorded(CHANGE_ROLE, arguments, act.event(user_id, "ROLE_CHANGED")))
        return _refused(row) or RoleChanged(**json.decode(row["told"]))

    async def sign_out(
        self, user_id: UserId, act: Act, *, beyond: Collection[str] = ()
    ) -> SignedOut | OutOfReach | UnknownUser:
        """See `AccountStore.sign_out`."""
        arguments = (user_key(user_id), list(beyond), self._chains.events)
        row = await self._database.run(self._recorded(SIGN_OUT, arguments, act.event(user_id, "SESSIONS_ENDED")))
        return _refused(row) or SignedOut(json.decode(row["told"])["ended"], tuple(map(SessionId, row["ended"])))

    def _recorded(
        self, statement: str, arguments: tuple[object, ...], event: AuditEvent
    ) -> Callable[[asyncpg.Connection], Awaitable[asyncpg.Record]]:
        """The one row of a statement whose last argument is its record."""

        async def work(connection: asyncpg.Connection) -> asyncpg.Record:
            record = await sealed_event(connection, self._personal, event)
            return await connection.fetchrow(statement, *arguments, record)

        return work

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
