"""Where the primary is among the hosts that a URL of Postgres names."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.postgres_connections import Bounds, in_words
from scoreboard.stores.primary import Host, find_primary, hosts_in

log = logging.getLogger(__name__)

PORT = 5432
#: Each promotion of a replica, and each restored backup, begins another one.
TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
MEANING = "if the replica was no synchronous one, scores that it had not received are lost; boards are read anew"
#: What comes of a server that cannot be connected to, or is not what is wanted.
FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def hosts_of(url: str) -> list[Host]:
    """The hosts of ``postgresql://one:5432,two/db``, or of its ``?host=``; raises ValueError."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    if "host" not in asked:
        return hosts_in(parts.netloc)
    names, ports = asked["host"][-1].split(","), asked.get("port", [""])[-1].split(",")
    if len(ports) < len(names):
        ports = ports[:1] * len(names)
    return [Host(name, int(port) if port else None) for name, port in zip(names, ports, strict=True)]


class Hosts:
    """Connects to the one that takes writes. For asyncio.

    All connections go to the same server until `find` has found another: also if two say that they take writes, which
    they do where somebody has made a replica the primary and left the former one running.
    """

    def __init__(self, url: str, bounds: Bounds) -> None:
        self._url = url
        self._bounds = bounds
        self._hosts = hosts_of(url)
        self._place: dict[str, Any] = {}
        self._timeline = ""

    def __repr__(self) -> str:
        return f"<Hosts, {self._place or 'the only one'}>"

    async def find(self) -> None:
        """Look which takes writes; raises StoreUnavailable if none does."""
        places = [place_of(host) for host in self._hosts] if self._hosts[1:] else [{}]
        timelines: dict[int, str] = {}

        async def ask(number: int) -> None:
            timelines[number] = await self._try(places[number])

        try:
            found = await find_primary(range(len(places)), ask)
        except FAILED as error:
            named = ", ".join(f"{host.name}:{host.port or PORT}" for host in self._hosts)
            where = f" at {named}" if named else ""
            raise StoreUnavailable(f"no connection to Postgres{where}: {in_words(error)}") from error
        self._place = places[found]
        self._look_at_timeline(timelines[found])

    async def connect(self, _url: str = "", **options: Any) -> asyncpg.Connection:
        """A connection to that one, as the driver makes it, and with its errors. Looks for it if there are several."""
        if self._hosts[1:] and not self._place:
            await self.find()
        return await asyncpg.connect(self._url, **{**options, **self._place})

    async def _try(self, place: dict[str, Any]) -> str:
        """The timeline of that server, if it takes writes."""
        seconds = self._bounds.connect_s
        connection = await asyncpg.connect(self._url, timeout=seconds, command_timeout=seconds, **place)
        try:
            if await connection.fetchval("SHOW transaction_read_only") == "on":
                raise StoreUnavailable("this Postgres only reads: it is a replica")
            return await _timeline_of(connection)
        finally:
            connection.terminate()

    def _look_at_timeline(self, timeline: str) -> None:
        if timeline and self._timeline not in ("", timeline):
            log.warning("Postgres is on timeline %s, before on %s: %s", timeline, self._timeline, MEANING)
        self._timeline = timeline


async def _timeline_of(connection: asyncpg.Connection) -> str:
    """Nothing where the server does not say, as some that only speak like Postgres."""
    with suppress(asyncpg.PostgresError):
        timeline: str = await connection.fetchval(TIMELINE)
        return timeline
    return ""


def place_of(host: Host) -> dict[str, Any]:
    """A host as the driver takes it."""
    return {"host": host.name, "port": host.port or PORT}
