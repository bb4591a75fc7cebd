"""Where the primary is among the hosts that a URL of Postgres names."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.postgres_claims import REPLICA, Claim, claim_of
from scoreboard.stores.postgres_connections import FAILED, Bounds
from scoreboard.stores.primary import PATIENCE_S, Host, all_primaries, hosts_in
from scoreboard.stores.words import in_words

Ask = Callable[[int], Awaitable[Claim]]

log = logging.getLogger(__name__)

PORT = 5432
#: By this name the connections that only look are seen at the server.
LOOKING = "scoreboard: which is the primary"
MEANING = "if the replica was no synchronous one, scores that it had not received are lost; boards are read anew"


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

    All connections go to the same server until another has been found: also if two say that they take writes, which
    they do where somebody has made a replica the primary and left the former one running. Of those the one with the
    greatest `Claim` counts, for all workers. None goes back to a timeline before the one that it has followed.

    `to_read`: if none takes writes, one that only reads will do.
    """

    def __init__(self, url: str, bounds: Bounds, *, to_read: bool = False) -> None:
        self._url = url
        self._to_read = to_read
        self._bounds = bounds
        self._hosts = hosts_of(url)
        self._places: list[dict[str, Any]] = [place_of(host) for host in self._hosts] if self._hosts[1:] else [{}]
        self._here: int | None = None
        self._claim = REPLICA  # the least
        self._rivals: list[int] = []
        self._has_refused = False

    def __repr__(self) -> str:
        return (
            f"<Hosts, {'the only one' if not self.several else 'none' if self._here is None else self._at(self._here)}>"
        )

    @property
    def several(self) -> bool:
        """Whether there is anything to choose."""
        return len(self._places) > 1

    async def find(self) -> bool:
        """Look which takes writes. True if it is another than before; raises StoreUnavailable if none does.

        On another timeline it is another one also in the same place: a name, or an address, may lead to it since.

        Who has followed none yet knows of no timeline, and hears all that can be connected to.
        """
        claims = await self._claims(self.ask, PATIENCE_S if self._here is not None else self._bounds.connect_s)
        found = _best(claims)
        if self.several and claims[found].timeline < self._claim.timeline:
            raise self._refused(found, claims[found])
        return self._follow(found, claims)

    async def find_better(self, ask: Ask) -> bool:
        """Look whether another than the present one is to be followed by now. Returns and raises as `find`."""
        claims = await self._claims(ask)
        here = self._here if self._here in claims else None
        if here is not None and claims[here] > self._claim:
            self._follow(here, claims)
        found = _best(claims)
        if claims[found] <= self._claim:
            self._tell_of_rivals([number for number in claims if number != self._here])
            return False
        return self._follow(found, claims)

    async def ask(self, number: int) -> Claim:
        """What that server says, over a connection for this once. Raises StoreUnavailable if it only reads."""
        connection = await self.connect_to(number)
        try:
            return await claim_of(connection, to_read=self._to_read)
        finally:
            connection.terminate()

    async def connect_to(self, number: int) -> asyncpg.Connection:
        """A connection to that one, to look at it."""
        seconds = self._bounds.connect_s
        place = self._places[number]
        settings = {"application_name": LOOKING}
        return await asyncpg.connect(
            self._url, timeout=seconds, command_timeout=seconds, server_settings=settings, **place
        )

    async def connect(self, _url: str = "", **options: Any) -> asyncpg.Connection:
        """A connection to that one, as the driver makes it, and with its errors. Looks for it if there are several."""
        if self.several and self._here is None:
            await self.find()
        return await asyncpg.connect(self._url, **{**options, **self._places[self._here or 0]})

    async def _claims(self, ask: Ask, patience_s: float = PATIENCE_S) -> dict[int, Claim]:
        try:
            return await all_primaries(range(len(self._places)), ask, patience_s)
        except FAILED as error:
            named = ", ".join(self._at(number) for number in range(len(self._hosts)))
            where = f" at {named}" if named else ""
            raise StoreUnavailable(f"no connection to Postgres{where}: {in_words(error)}") from error

    def _follow(self, found: int, claims: dict[int, Claim]) -> bool:
        before, self._here = self._here, found
        known, self._claim = self._claim, claims[found]
        self._has_refused = False
        promoted = 0 < known.timeline != self._claim.timeline > 0
        if promoted:
            log.warning(
                "Postgres is on timeline %08X, before on %08X: %s", self._claim.timeline, known.timeline, MEANING
            )
        moved = before not in (None, found)
        if moved:
            log.warning("Postgres at %s is the primary now", self._at(found))
        self._tell_of_rivals([number for number in claims if number != found])
        return moved or promoted

    def _refused(self, found: int, claim: Claim) -> StoreUnavailable:
        """Told once: it is looked for again and again."""
        left = StoreUnavailable(
            f"Postgres at {self._at(found)} takes writes on timeline {claim.timeline:08X}, but one on"
            f" {self._claim.timeline:08X} has been the primary, and what that took would be lost: it is waited for."
            " Restart to go on with this one"
        )
        if not self._has_refused:
            log.warning("%s", left)
        self._has_refused = True
        return left

    def _tell_of_rivals(self, rivals: list[int]) -> None:
        """Once: whoever writes there loses it."""
        for number in rivals:
            if number not in self._rivals:
                log.warning("Postgres at %s takes writes, too, and is passed by: end it", self._at(number))
        self._rivals = rivals

    def _at(self, number: int) -> str:
        host = self._hosts[number]
        return f"{host.name}:{host.port or PORT}"


def _best(claims: dict[int, Claim]) -> int:
    """Of two that have the same the first in the URL."""
    return max(claims, key=lambda number: (claims[number], -number))


def place_of(host: Host) -> dict[str, Any]:
    """A host as the driver takes it."""
    return {"host": host.name, "port": host.port or PORT}
