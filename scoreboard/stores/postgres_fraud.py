"""Habits of players and findings of rules, in Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from actors.ports import Consequence, EventId, FraudEvent, Habits, Severity, UserId
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, name_key, user_key
from scoreboard.stores.replicas import Reads

HABITS = "SELECT user_id::text, habits FROM fraud_profiles WHERE user_id = ANY ($1::uuid[])"

#: Whole pages are drawn, so that as much is read of ten thousand players as of a million; more than are wanted, as
#: some have not played for long. Where nobody has counted the rows yet, there are few.
SOME = """
SELECT habits FROM fraud_profiles TABLESAMPLE SYSTEM ((
    SELECT least(100, 100 * 4.0 * $1 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'fraud_profiles'::regclass
)::real)
WHERE updated_at > clock_timestamp() - interval '30 days'
ORDER BY random() LIMIT $1
"""

#: In the order of the players, so that two workers that keep the same ones wait for each other and not for ever.
KEEP = """
INSERT INTO fraud_profiles (user_id, habits)
SELECT u.user_id, k.habits::jsonb
FROM unnest($1::uuid[], $2::text[]) k (user_id, habits) JOIN users u ON u.user_id = k.user_id
ORDER BY u.user_id
ON CONFLICT (user_id) DO UPDATE SET habits = excluded.habits, updated_at = clock_timestamp()
"""

RECORD = """
INSERT INTO fraud_events (event_id, user_id, happened_at, rule, severity, consequence, explanation, times)
SELECT e.event_id, u.user_id, from_us(e.at_us), e.rule, e.severity, e.consequence, e.explanation, e.times
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
     e (event_id, user_id, at_us, rule, severity, consequence, explanation, times)
JOIN users u ON u.user_id = e.user_id
ON CONFLICT (event_id) DO NOTHING
"""

FOUND = """
SELECT event_id::text, user_id::text, to_us(happened_at), rule, severity, consequence, explanation, times
FROM fraud_events
WHERE happened_at >= from_us($1) AND ($2::uuid IS NULL OR user_id = $2) AND ($5::text IS NULL OR rule = $5)
ORDER BY happened_at DESC, event_id DESC LIMIT $3 OFFSET $4
"""

RESTRICTED = """
SELECT user_id::text, to_us(restricted_until) FROM users
WHERE restricted_until > from_us($1)
"""

#: So long findings are kept.
FINDINGS_KEPT = timedelta(days=400)
SWEEP_FINDINGS = "DELETE FROM fraud_events WHERE happened_at < clock_timestamp() - $1::interval"


class PostgresFraudStore:
    """`FraudStore` on Postgres. What was found may be read from a replica, `reads`."""

    def __init__(self, database: Database, reads: Reads | None = None) -> None:
        self._database = database
        self._reads = reads or database

    async def habits(self, user_ids: Sequence[UserId]) -> dict[UserId, Habits]:
        """See `FraudStore.habits`."""
        keys = {str(user_key(user_id)): user_id for user_id in user_ids}
        rows = await self._database.run(lambda connection: connection.fetch(HABITS, list(keys)))
        return {keys[row[0]]: msgspec.json.decode(row[1], type=Habits) for row in rows}

    async def some_habits(self, count: int) -> list[Habits]:
        """See `FraudStore.some_habits`."""
        rows = await self._database.run(lambda connection: connection.fetch(SOME, count))
        return [msgspec.json.decode(row[0], type=Habits) for row in rows]

    async def keep(self, habits: Mapping[UserId, Habits]) -> None:
        """See `FraudStore.keep`."""
        if not habits:
            return
        keys = [user_key(user_id) for user_id in habits]
        texts = [msgspec.json.encode(each).decode() for each in habits.values()]
        await self._database.run(lambda connection: connection.execute(KEEP, keys, texts))

    async def record(self, events: Sequence[FraudEvent]) -> None:
        """See `FraudStore.record`."""
        if not events:
            return
        columns = (
            [name_key(event.event_id) for event in events],
            [user_key(event.user_id) for event in events],
            [event.at_us for event in events],
            [clean(event.rule) for event in events],
            [event.severity.value for event in events],
            [event.consequence.value for event in events],
            [clean(event.explanation) for event in events],
            [event.times for event in events],
        )
        await self._database.run(lambda connection: connection.execute(RECORD, *columns))

    async def found(
        self,
        *,
        user_id: UserId | None = None,
        rule: str | None = None,
        since_us: int = 0,
        limit: int = 100,
        offset: int = 0,
    ) -> list[FraudEvent]:
        """See `FraudStore.found`."""
        arguments = (since_us, None if user_id is None else user_key(user_id), limit, offset, rule)
        rows = await self._reads.run(lambda connection: connection.fetch(FOUND, *arguments))
        return [
            FraudEvent(EventId(event_id), UserId(user), at_us, rule, Severity(severity), Consequence(then), why, times)
            for event_id, user, at_us, rule, severity, then, why, times in rows
        ]

    async def restricted(self, now_us: int) -> dict[UserId, int]:
        """See `FraudStore.restricted`."""
        rows = await self._database.run(lambda connection: connection.fetch(RESTRICTED, now_us))
        return {UserId(user_id): until_us for user_id, until_us in rows}
