"""By what a Postgres that takes writes is judged, where another one does so, too."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import asyncpg

from actors.ports import StoreUnavailable

#: Each promotion of a replica, and each restored backup, begins another one.
TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
#: When a worker first looked at a timeline there; see the migration of histories.
NAMED = "SELECT to_us(begun_at) FROM histories WHERE timeline = $1"


class Claim(NamedTuple):
    """The greater one counts.

    The timeline says which was promoted later. Where replicas of one primary were promoted one after the other it is
    the same, and the one that was followed last counts, at the first look at which a worker has `named` it (in
    microseconds). Both stand in the servers, so that all workers go by the same, whenever they start.
    """

    timeline: int
    named_us: int


#: Of a replica, where that will do: whichever takes writes claims more.
REPLICA = Claim(-1, 0)
#: Of one that does not tell, as some that only speak like Postgres.
NO_CLAIM = Claim(0, 0)


async def only_reads(connection: asyncpg.Connection) -> bool:
    """Whether that server takes no writes, as a replica. For asyncio."""
    return bool(await connection.fetchval("SHOW transaction_read_only") == "on")


async def claim_of(connection: asyncpg.Connection, *, to_read: bool = False) -> Claim:
    """What that server can claim. For asyncio; raises StoreUnavailable if it only reads, unless that will do."""
    if await only_reads(connection):
        if to_read:
            return REPLICA
        raise StoreUnavailable("this Postgres only reads: it is a replica")
    named_us = 0
    with suppress(asyncpg.PostgresError):
        timeline = await connection.fetchval(TIMELINE)
        with suppress(asyncpg.PostgresError):  # before the first migrations
            named_us = await connection.fetchval(NAMED, timeline) or 0
        return Claim(int(timeline, 16), named_us)
    return NO_CLAIM
