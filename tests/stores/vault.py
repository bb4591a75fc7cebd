"""A database with scores and events that are sealed, and somebody who may do there what nobody may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actors.ports import UserId
from scoreboard.stores.opening import Stores
from scoreboard.stores.seals import Finding, verify
from tests.contract.making import World

#: Lets whoever owns the tables do what the triggers refuse.
OPEN = "SET session_replication_role = replica; "


@dataclass
class Vault:
    """A database with scores and events, all of them sealed."""

    stores: Stores
    world: World
    players: list[UserId]

    async def sql(self, statement: str) -> list[Any]:
        """One statement, which may do what nobody may."""

        async def work(connection: Any) -> list[Any]:
            await connection.execute(OPEN)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.execute("SET session_replication_role = DEFAULT")

        return await self.stores.database.run(work)

    async def found(self, known: Sequence[Any] = ()) -> list[Finding]:
        """What is not as it was."""
        return list((await verify(self.stores.database, known)).findings)

    async def whats(self) -> set[tuple[str, str | None]]:
        """The same in short: what, and of which table."""
        return {(each.what, each.table) for each in await self.found()}
