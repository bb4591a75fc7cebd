"""All players at one moment, read from the table's first page to its last.

That is no order of ours, but the disk reads ahead; in the order of ids every row of a large table is a page of its own.
A player whose score is raised meanwhile may move to another page, so all is read in one transaction with one snapshot:
it sees each row where it was, and keeps it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import trio

from actors.ports import MemberPages, Members
from scoreboard.stores.postgres_pool import Database

#: Pages of the table in one question: 8 MB, and twenty thousand players or so.
PAGES = 1024

# The limit of all sessions is for transactions that were forgotten; a slow machine may take its time to load a board.
BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = '60s';
LOCK TABLE users IN ACCESS SHARE MODE
"""

# Behind the lock, so that nobody rewrites the table; with the snapshot, so that no row that it sees is further behind.
LENGTH = "SELECT pg_relation_size('users') / current_setting('block_size')::bigint"

# Columns, because a row as an object costs more than all that is in it.
MEMBERS = """
SELECT array_agg(user_id::text), array_agg(username), array_agg(score), array_agg(version), array_agg(to_us(reached_at))
FROM users WHERE ctid >= $1 AND ctid < $2 AND NOT is_banned
"""


@asynccontextmanager
async def reading_members(database: Database) -> AsyncIterator[MemberPages]:
    """See `ScoreStore.all_members`. A reading that is left half-way costs its connection."""
    async with database.holding() as connection:
        pages = _Pages(database, connection)
        try:
            await database.use(pages.begin)
            yield pages
        finally:
            with trio.CancelScope(shield=True):
                await database.use(pages.end)


class _Pages:
    """The next question is on its way while an answer is worked on. Methods but `next` are for asyncio."""

    def __init__(self, database: Database, connection: asyncpg.Connection) -> None:
        self._database, self._connection = database, connection
        self._at, self._length, self._done = 0, 0, False
        self._asked: asyncio.Future[Sequence[Any]]

    async def begin(self) -> None:
        """Take the snapshot, and ask for the first page."""
        self._asked = asyncio.get_running_loop().create_future()
        await self._connection.execute(BEGIN)
        self._length = await self._connection.fetchval(LENGTH)
        self._ask()

    async def end(self) -> None:
        """Whoever did not read to the end does not want to wait, and nobody else may get the open transaction."""
        if self._done:
            await self._connection.execute("COMMIT")
            return
        self._connection.terminate()
        self._asked.cancel()
        await asyncio.gather(self._asked, return_exceptions=True)

    async def next(self) -> Members | None:
        """See `MemberPages.next`."""
        while not self._done:
            ids, names, scores, versions, reached_us = await self._database.use(self._answer)
            if ids is not None:
                return Members(ids, names, scores, versions, reached_us, min(self._at / self._length, 1.0))
        return None

    def _ask(self) -> None:
        """Ask for the page behind `_at`, if there is one."""
        self._done = self._at >= self._length
        if not self._done:
            question = self._connection.fetchrow(MEMBERS, (self._at, 0), (self._at + PAGES, 0))
            self._asked = asyncio.get_running_loop().create_task(question)

    async def _answer(self) -> Sequence[Any]:
        # Not cancelled with its caller: then the driver would open a connection to tell the server so, without a bound.
        columns = await asyncio.shield(self._asked)
        self._at += PAGES
        self._ask()
        return columns
