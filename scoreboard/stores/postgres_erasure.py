"""Erases players, in one transaction with its record in the audit."""

from __future__ import annotations

import asyncpg

from actors.ports import Act, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.personal import Personal
from scoreboard.stores.postgres_audit import sealed_event
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import clean, user_key

ERASE = "SELECT erase_user($1, $2, $3, $4, $5, $6)"


class PostgresErasure:
    """What nothing takes back. All workers hear of it by an announcement."""

    def __init__(self, database: Database, chains: Chains, personal: Personal) -> None:
        self._database = database
        self._chains = chains
        self._personal = personal

    async def erase(self, user_id: UserId, name: str, password_hash: str, act: Act) -> bool:
        """Remove the player's key, name, address, password, country and picture; False if there is no such player.

        Sessions end, and the player leaves all boards. Done twice, it is as done once.

        Args:
            user_id: Whom.
            name: What the account is called from now on, folded already; nobody else may have it.
            password_hash: One that no password has.
            act: Who does it, and why; nothing of it may name the player.

        Raises:
            StoreUnavailable: it may or may not be done; ask again.
            StoreFault: somebody has that name.
        """
        key = user_key(user_id)

        async def work(connection: asyncpg.Connection) -> bool:
            record = await sealed_event(connection, self._personal, act.event(user_id, "USER_ERASED"))
            values = (clean(name), clean(name), password_hash, self._chains.events, record)
            erased: bool = await connection.fetchval(ERASE, key, *values)
            return erased

        erased = await self._database.run(work)
        if erased:
            self.forget(user_id)
        return erased

    def forget(self, user_id: UserId) -> None:
        """The player was erased, by whoever: the key that this worker may hold goes."""
        self._personal.keys.forget(user_key(user_id))
