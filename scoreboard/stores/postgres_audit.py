"""The audit in Postgres: events are written and sealed in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from actors.ports import AuditEvent, EventId, EventKind, Source, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import address, clean, name_key, user_agent, user_key

RECORD = "SELECT record_events($1, $2)"

EVENTS = """
SELECT event_id::text, to_us(happened_at), to_us(until_at), kind, what, done_by, user_id::text, site, host(ip_address),
       user_agent, why, request_id, times, details
FROM audit_events
WHERE happened_at >= from_us($1) AND ($2::uuid IS NULL OR user_id = $2)
ORDER BY happened_at DESC, event_id DESC LIMIT $3 OFFSET $4
"""


def event_values(event: AuditEvent) -> dict[str, Any]:
    """An event as `record_events` takes it."""
    return {
        "event_id": str(name_key(event.event_id)),
        "happened_us": event.at_us,
        "until_us": event.until_us,
        "times": event.times,
        "kind": event.kind.value,
        "what": clean(event.what),
        "done_by": clean(event.done_by),
        "user_id": None if event.user_id is None else str(user_key(event.user_id)),
        "site": _text(event.site),
        "address": address(event.source.address),
        "user_agent": user_agent(event.source.user_agent),
        "why": _text(event.why),
        "request_id": _text(event.request_id),
        "details": _cleaned(event.details),
    }


def event_json(event: AuditEvent) -> str:
    """The same as JSON."""
    return msgspec.json.encode(event_values(event)).decode()


def _text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _cleaned(details: Mapping[str, object]) -> dict[str, object]:
    return {clean(name): clean(value) if isinstance(value, str) else value for name, value in details.items()}


def event_in(row: asyncpg.Record) -> AuditEvent:
    """The event that a row describes."""
    event_id, at_us, until_us, kind, what, done_by, user_id, site, *source, why, request_id, times, details = row
    return AuditEvent(
        EventId(event_id),
        at_us,
        until_us,
        EventKind(kind),
        what,
        done_by,
        None if user_id is None else UserId(user_id),
        site,
        Source(*source),
        why,
        request_id,
        times,
        msgspec.json.decode(details),
    )


async def write_events(connection: asyncpg.Connection, chains: Chains, events: Sequence[AuditEvent]) -> None:
    """Write and seal them with the chain of this worker, within whatever transaction there is."""
    told = msgspec.json.encode([event_values(event) for event in events]).decode()
    await connection.execute(RECORD, chains.events, told)


class PostgresAuditLog:
    """`AuditLog` on Postgres."""

    def __init__(self, database: Database, chains: Chains) -> None:
        self._database = database
        self._chains = chains

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """See `AuditLog.record`."""
        if events:
            await self._database.run(lambda connection: write_events(connection, self._chains, events))

    async def events(
        self, *, user_id: UserId | None = None, since_us: int = 0, limit: int = 100, offset: int = 0
    ) -> list[AuditEvent]:
        """See `AuditLog.events`."""
        arguments = (since_us, None if user_id is None else user_key(user_id), limit, offset)
        rows = await self._database.run(lambda connection: connection.fetch(EVENTS, *arguments))
        return [event_in(row) for row in rows]
