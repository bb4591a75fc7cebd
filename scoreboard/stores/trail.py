"""All that was done by a player, or to one, or by anybody, in the order of time: scores and everything else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from actors.ports import Source
from scoreboard.stores.personal import EVENT, SCORE, Personal, Row
from scoreboard.stores.postgres_audit import named, owner_of
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import user_key

TRAIL = """
SELECT l.at_us, l.until_us, l.times, l.kind, l.what, l.done_by, l.user_id::text, u.username, l.site, l.source,
       l.address, l.user_agent, l.why, l.request_id, l.details
FROM (
    (SELECT to_us(s.created_at) AS at_us, to_us(s.created_at) AS until_us, 1::bigint AS times, 'score' AS kind,
            s.action_type AS what, 'user:' || s.user_id AS done_by, s.user_id, NULL AS site,
            s.source, host(s.ip_address) AS address, s.user_agent, NULL AS why, NULL AS request_id,
            jsonb_build_object('points', s.score_increment, 'score', s.new_score, 'action', s.action_id,
                               'operation', s.operation_id) AS details
     FROM score_updates s WHERE s.created_at >= from_us($1) AND ($2::uuid IS NULL OR s.user_id = $2)
     ORDER BY s.created_at DESC LIMIT $3)
    UNION ALL
    (SELECT to_us(e.happened_at), to_us(e.until_at), e.times, e.kind, e.what, e.done_by, e.user_id, e.site,
            e.source, host(e.ip_address), e.user_agent, e.why, e.request_id, e.details
     FROM audit_events e WHERE e.until_at >= from_us($1) AND ($2::uuid IS NULL OR e.user_id = $2)
     ORDER BY e.happened_at DESC LIMIT $3)
) l LEFT JOIN users u ON u.user_id = l.user_id
ORDER BY l.at_us DESC LIMIT $3
"""

NAMES = "SELECT user_id::text, username FROM users WHERE user_id = ANY ($1::uuid[])"
WHO = "SELECT user_id::text FROM users WHERE username_key = $1 OR user_id = $2"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `times` times; moments are microseconds."""

    at_us: int
    until_us: int
    times: int
    kind: str
    what: str
    done_by: str
    user_id: str | None
    username: str | None
    site: str | None
    address: str | None
    user_agent: str | None
    why: str | None
    request_id: str | None
    details: dict[str, Any]


async def trail(
    database: Database, personal: Personal, *, user_id: str | None, since_us: int, limit: int
) -> list[Line]:
    """The newest `limit` lines, the newest first. Raises StoreUnavailable, also without the master key."""
    arguments = (since_us, None if user_id is None else user_key(user_id), limit)

    async def work(connection: asyncpg.Connection) -> list[Line]:
        rows = await connection.fetch(TRAIL, *arguments)
        places = [Row(SCORE if row[3] == "score" else EVENT, owner_of(row[5]), *row[9:12]) for row in rows]
        sources = await personal.sources(connection, places)
        return [_line(row, source) for row, source in zip(rows, sources, strict=True)]

    return await database.run(work)


def _line(row: asyncpg.Record, source: Source) -> Line:
    at_us, until_us, times, kind, what, done_by, user_id, username, site, *_, why, request_id, details = row
    told = (at_us, until_us, times, kind, what, named(done_by, source), user_id, username, site)
    return Line(*told, source.address, source.user_agent, why, request_id, msgspec.json.decode(details))


async def who_is(database: Database, name: str, folded: str) -> str | None:
    """The id of a player by name (folded) or by id. Raises StoreUnavailable."""
    found: str | None = await database.run(lambda connection: connection.fetchval(WHO, folded, user_key(name)))
    return found


async def names_of(database: Database, user_ids: Collection[str]) -> dict[str, str]:
    """The names of these players, by id; who is none is left out. Raises StoreUnavailable."""
    keys = [user_key(user_id) for user_id in user_ids]
    return {row[0]: row[1] for row in await database.run(lambda connection: connection.fetch(NAMES, keys))}
