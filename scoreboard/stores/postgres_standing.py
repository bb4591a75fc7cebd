"""How players stand, in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from actors.ports import Act, OutOfReach, PlayerStanding, ScoreFact, StandingChange, Stood, UnknownUser, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.personal import Personal
from scoreboard.stores.postgres_audit import sealed_event
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, name_key, user_key

CHANGED = "STANDING_CHANGED"
STANDINGS = "SELECT user_id::text, standing_of(users) FROM users WHERE user_id = ANY ($1::uuid[])"

TOTAL = """
SELECT username, score, version, to_us(reached_at), 0, 0, country::text, avatar, is_banned OR is_quarantined
FROM users WHERE user_id = $1
"""

# The role of a player who keeps it until the end of the transaction; nothing, where that act was done already.
HELD = """
SELECT role FROM users u
WHERE user_id = $1 AND NOT EXISTS (SELECT FROM audit_events e WHERE e.event_id = $2)
FOR NO KEY UPDATE OF u
"""

CHANGE = """
SELECT before, after, username, score, version, reached_us, 0, 0, country, avatar, hidden
FROM change_standing($1, $2, $3, $4)
"""


def standing_in(text: str) -> PlayerStanding:
    """What `standing_of` says."""
    return msgspec.json.decode(text, type=PlayerStanding)


def change_json(change: StandingChange) -> str:
    """What a change names."""
    named: Mapping[str, Any] = change.named
    values = {name: clean(value) if isinstance(value, str) else value for name, value in named.items()}
    return msgspec.json.encode(values).decode()


class PostgresStandingStore:
    """`StandingStore` on Postgres."""

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal

    async def standings(self, user_ids: Sequence[UserId]) -> dict[UserId, PlayerStanding]:
        """See `StandingStore.standings`."""
        keys = {str(user_key(user_id)): user_id for user_id in user_ids}
        rows = await self._database.run(lambda connection: connection.fetch(STANDINGS, list(keys)))
        return {keys[row[0]]: standing_in(row[1]) for row in rows}

    async def total(self, user_id: UserId) -> ScoreFact | None:
        """See `StandingStore.total`."""
        row = await self._database.run(lambda connection: connection.fetchrow(TOTAL, user_key(user_id)))
        return None if row is None else ScoreFact(user_id, *row)

    async def change_standing(
        self, user_id: UserId, change: StandingChange, act: Act, *, beyond: Collection[str] = ()
    ) -> Stood | OutOfReach | UnknownUser:
        """See `StandingStore.change_standing`."""
        who, said = user_key(user_id), (change_json(change), self._chains.events)

        async def work(connection: asyncpg.Connection) -> asyncpg.Record | OutOfReach | None:
            event = await sealed_event(connection, self._personal, act.event(user_id, CHANGED))
            async with connection.transaction():
                role = await connection.fetchval(HELD, who, name_key(act.event_id)) if beyond else None
                if role is not None and role in beyond:
                    return OutOfReach(role)
                return await connection.fetchrow(CHANGE, who, *said, event)

        row = await self._database.run(work)
        if row is None or isinstance(row, OutOfReach):
            return row or UnknownUser()
        return Stood(standing_in(row[0]), standing_in(row[1]), ScoreFact(user_id, *row[2:]))
