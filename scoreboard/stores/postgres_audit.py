"""The audit in Postgres: events are written and sealed in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import msgspec
from asyncpg.pgproto.pgproto import UUID

from actors.ports import AuditEvent, EventId, EventKind, Source, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.personal import EVENT, Personal, Row
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, name_key, user_key

RECORD = "SELECT record_events($1, $2)"

EVENTS = """
SELECT event_id::text, to_us(happened_at), to_us(until_at), kind, what, done_by, user_id::text, site, source,
       host(ip_address), user_agent, why, request_id, times, details
FROM audit_events
WHERE happened_at >= from_us($1) AND ($2::uuid IS NULL OR user_id = $2)
ORDER BY happened_at DESC, event_id DESC LIMIT $3 OFFSET $4
"""


#: Who does so is no player, and is not forgotten.
IN_CHARGE = ("service:", "operator:")
#: Who it was is told by the source, which is encrypted.
BY_ADDRESS = "address"


async def sealed_events(
    connection: asyncpg.Connection, personal: Personal, events: Sequence[AuditEvent]
) -> list[dict[str, Any]]:
    """Events as `record_events` takes them. Where one came from is encrypted as that of who did it. For asyncio."""
    owners = [owner_of(event.done_by) for event in events]
    sources = [replace(event.source, service=event.done_by.startswith(IN_CHARGE)) for event in events]
    sealed = await personal.sources_sealed(connection, EVENT, owners, sources)
    return [event_values(event, source) for event, source in zip(events, sealed, strict=True)]


async def sealed_event(connection: asyncpg.Connection, personal: Personal, event: AuditEvent) -> str:
    """One event as JSON, likewise."""
    [told] = await sealed_events(connection, personal, [event])
    return msgspec.json.encode(told).decode()


def owner_of(done_by: str) -> UUID | None:
    """The player who did it; None if it was none who has signed in."""
    kind, _, name = done_by.partition(":")
    return user_key(name) if kind == "user" else None


def event_values(event: AuditEvent, source: bytes | None) -> dict[str, Any]:
    """An event as an object of that, with its source as it stands."""
    return {
        "event_id": str(name_key(event.event_id)),
        "happened_us": event.at_us,
        "until_us": event.until_us,
        "times": event.times,
        "kind": event.kind.value,
        "what": clean(event.what),
        "done_by": BY_ADDRESS if event.done_by.startswith(f"{BY_ADDRESS}:") else clean(event.done_by),
        "user_id": None if event.user_id is None else str(user_key(event.user_id)),
        "site": _text(event.site),
        "source": None if source is None else f"\\x{source.hex()}",
        "why": _text(event.why),
        "request_id": _text(event.request_id),
        "details": _cleaned(event.details),
    }


def _text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _cleaned(details: Mapping[str, object]) -> dict[str, object]:
    return {clean(name): clean(value) if isinstance(value, str) else value for name, value in details.items()}


def named(done_by: str, source: Source) -> str:
    """Who did it, as it was told."""
    return f"{BY_ADDRESS}:{source.address}" if done_by == BY_ADDRESS else done_by


def event_in(row: asyncpg.Record, source: Source) -> AuditEvent:
    """The event that a row describes, with the source that stands in it."""
    event_id, at_us, until_us, kind, what, done_by, user_id, site, *_, why, request_id, times, details = row
    return AuditEvent(
        EventId(event_id),
        at_us,
        until_us,
        EventKind(kind),
        what,
        named(done_by, source),
        None if user_id is None else UserId(user_id),
        site,
        source,
        why,
        request_id,
        times,
        msgspec.json.decode(details),
    )


async def write_events(
    connection: asyncpg.Connection, personal: Personal, chains: Chains, events: Sequence[AuditEvent]
) -> None:
    """Write and seal them with the chain of this worker, within whatever transaction there is."""
    told = msgspec.json.encode(await sealed_events(connection, personal, events))
    await connection.execute(RECORD, chains.events, told.decode())


class PostgresAuditLog:
    """`AuditLog` on Postgres."""

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """See `AuditLog.record`."""
        if events:
            keeping = (self._personal, self._chains, events)
            await self._database.run(lambda connection: write_events(connection, *keeping))

    async def events(
        self, *, user_id: UserId | None = None, since_us: int = 0, limit: int = 100, offset: int = 0
    ) -> list[AuditEvent]:
        """See `AuditLog.events`."""
        arguments = (since_us, None if user_id is None else user_key(user_id), limit, offset)

        async def work(connection: asyncpg.Connection) -> list[AuditEvent]:
            rows = await connection.fetch(EVENTS, *arguments)
            places = [Row(EVENT, owner_of(row[5]), *row[8:11]) for row in rows]
            sources = await self._personal.sources(connection, places)
            return [event_in(row, source) for row, source in zip(rows, sources, strict=True)]

        return await self._database.run(work)
