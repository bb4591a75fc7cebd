"""Looks again and again which Postgres is the primary: a former one that is left running goes on as if nothing were."""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from actors.ports import StoreUnavailable
from scoreboard.stores.ended import is_our_end
from scoreboard.stores.postgres_claims import Claim, claim_of
from scoreboard.stores.postgres_connections import Connections
from scoreboard.stores.postgres_hosts import Hosts

log = logging.getLogger(__name__)

#: What a worker writes to a former primary so long after the promotion of another one is lost, and whoever wrote it was
#: answered, unless the one that was promoted is a synchronous replica.
LOOK_S = 0.5


class Watch:
    """Has all connections replaced when another than the present primary is to be followed. For asyncio.

    It has one connection to each server, which it keeps: a new one for each look would cost them more than the look.
    """

    def __init__(self, hosts: Hosts, connections: Connections) -> None:
        self._hosts = hosts
        self._connections = connections
        self._lines: dict[int, asyncpg.Connection] = {}
        self._looking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Watch of {self._hosts!r}, {len(self._lines)} lines>"

    async def start(self) -> None:
        """Begin, if there are several to choose of."""
        if self._hosts.several:
            self._looking = asyncio.get_running_loop().create_task(self._look_again_and_again())

    async def close(self) -> None:
        """End."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for line in self._lines.values():
            line.terminate()

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await self._hosts.find_better(self._ask):
                    await self._connections.replace(cut=True)
            except StoreUnavailable:
                continue  # those who need it find out by themselves
            except (Exception, asyncio.CancelledError) as error:
                if is_our_end(error):
                    raise
                # Were it the end of this, a former primary would be followed for as long as it answers.
                log.exception("which Postgres is the primary could not be looked for, and is looked for again")

    async def _ask(self, number: int) -> Claim:
        line = self._lines.pop(number, None)
        if line is None or line.is_closed():
            line = await self._hosts.connect_to(number)
        try:
            claim = await claim_of(line)
        except StoreUnavailable:
            self._lines[number] = line
            raise
        except BaseException:
            line.terminate()
            raise
        self._lines[number] = line
        return claim
