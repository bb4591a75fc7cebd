"""Where the primary is among the hosts that a URL of Postgres names."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.postgres_connections import Bounds
from scoreboard.stores.primary import Host, find_primary, hosts_in

PORT = 5432
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

    def __repr__(self) -> str:
        return f"<Hosts, {self._place or 'the only one'}>"

    async def find(self) -> None:
        """Look which takes writes; raises StoreUnavailable if none does."""
        try:
            if not self._hosts[1:]:
                await self._try({})
                return
            found = await find_primary(self._hosts, lambda host: self._try(place_of(host)))
        except FAILED as error:
            raise StoreUnavailable(f"no connection to Postgres: {error!r}") from error
        self._place = place_of(found)

    async def connect(self, _url: str = "", **options: Any) -> asyncpg.Connection:
        """A connection to that one, as the driver makes it, and with its errors. Looks for it if there are several."""
        if self._hosts[1:] and not self._place:
            await self.find()
        return await asyncpg.connect(self._url, **{**options, **self._place})

    async def _try(self, place: dict[str, Any]) -> None:
        seconds = self._bounds.connect_s
        connection = await asyncpg.connect(self._url, timeout=seconds, command_timeout=seconds, **place)
        try:
            if await connection.fetchval("SHOW transaction_read_only") == "on":
                raise StoreUnavailable("this Postgres only reads: it is a replica")
        finally:
            connection.terminate()


def place_of(host: Host) -> dict[str, Any]:
    """A host as the driver takes it."""
    return {"host": host.name, "port": host.port or PORT}
