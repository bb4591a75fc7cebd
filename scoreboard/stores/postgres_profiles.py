"""What players show and tell of themselves, in Postgres."""

from __future__ import annotations

import asyncpg

from actors.ports import (
    UNCHANGED,
    BannedUser,
    Profile,
    ProfileChange,
    ScoreFact,
    UnknownUser,
    UserId,
)
from scoreboard.stores.personal import Personal
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, user_key

PROFILE = """
SELECT username, email_sealed, email, role, country::text, avatar, to_us(created_at), to_us(last_active), is_active,
       is_banned
FROM users WHERE user_id = $1
"""

CHANGE = """
SELECT outcome, username, score, version, reached_us, 0, 0, country, avatar, hidden
FROM change_profile($1, $2, $3, $4, $5)
"""

UNKNOWN = 4


class PostgresProfileStore:
    """`ProfileStore` on Postgres."""

    def __init__(self, database: Database, personal: Personal) -> None:
        self._database = database
        self._personal = personal

    async def profile(self, user_id: UserId) -> Profile | None:
        """See `ProfileStore.profile`."""
        key = user_key(user_id)

        async def work(connection: asyncpg.Connection) -> Profile | None:
            row = await connection.fetchrow(PROFILE, key)
            if row is None:
                return None
            username, sealed, plain, *more = row
            return Profile(user_id, username, await self._personal.email(connection, key, sealed, plain), *more)

        return await self._database.run(work)

    async def change_profile(self, user_id: UserId, change: ProfileChange) -> ScoreFact | UnknownUser | BannedUser:
        """See `ProfileStore.change_profile`."""
        values: list[object] = []
        for value in (change.country, change.avatar):
            values += [value is not UNCHANGED, clean(value) if isinstance(value, str) else None]
        row = await self._database.run(lambda connection: connection.fetchrow(CHANGE, user_key(user_id), *values))
        if row[0]:
            return UnknownUser() if row[0] == UNKNOWN else BannedUser()
        return ScoreFact(user_id, *row[1:])
