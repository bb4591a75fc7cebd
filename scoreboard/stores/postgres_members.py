"""All players of a board at one moment.

Of all time and of everybody they are read from the table's first page to its last. That is no order of ours, but the
disk reads ahead; in the order of ids every row of a large table is a page of its own. A player whose score is raised
meanwhile may move to another page, so all is read in one transaction with one snapshot: it sees each row where it was,
and keeps it there. Other boards are one query, whose rows are fetched piece by piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import trio

from actors.ports import EVERYBODY, BoardScope, MemberPages, Members, Period, Span, UserId
from scoreboard.stores.postgres_pool import Database
from scoreboard.stores.postgres_values import user_key

#: Pages of the table in one question: 8 MB, and twenty thousand players or so.
PAGES = 1024
#: Players in one piece of another board; these are loaded while the server serves, and each piece holds the loop.
PIECE = 5_000
#: For one statement, seconds: what was gained in a month by a million players takes some.
PATIENCE_S = 60.0

# The limits of all sessions are for what was forgotten; a slow machine may take its time to load a board.
BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL statement_timeout = '60s';
LOCK TABLE users IN ACCESS SHARE MODE
"""

# Behind the lock, so that nobody rewrites the table; with the snapshot, so that no row that it sees is further behind.
LENGTH = "SELECT pg_relation_size('users') / current_setting('block_size')::bigint"

# Columns, because a row as an object costs more than all that is in it.
COLUMNS = """
SELECT array_agg(user_id::text), array_agg(username), array_agg(score), array_agg(version), array_agg(reached_us),
       array_agg(total), CASE WHEN count(country) > 0 THEN array_agg(country) END,
       CASE WHEN count(avatar) > 0 THEN array_agg(avatar) END, CASE WHEN bool_or(hidden) THEN array_agg(hidden) END
"""

PAGE = """
SELECT array_agg(user_id::text), array_agg(username), array_agg(score), array_agg(version),
       array_agg(to_us(reached_at)), NULL, CASE WHEN count(country) > 0 THEN array_agg(country::text) END,
       CASE WHEN count(avatar) > 0 THEN array_agg(avatar) END,
       CASE WHEN bool_or(is_banned OR is_quarantined) THEN array_agg(is_banned OR is_quarantined) END
FROM users WHERE ctid >= $1 AND ctid < $2
"""

# A row for each player of a board.
TOTALS = """
SELECT user_id, username, score, version, to_us(reached_at) AS reached_us, score AS total, country::text AS country,
       avatar, is_banned OR is_quarantined AS hidden
FROM users
"""
GAINS = """
SELECT u.user_id, u.username, g.score, u.version, to_us(g.reached_at) AS reached_us, u.score AS total,
       u.country::text AS country, u.avatar, u.is_banned OR u.is_quarantined AS hidden
FROM g JOIN users u ON u.user_id = g.user_id WHERE ($3::char(2) IS NULL OR u.country = $3::char(2))
"""

# Only some players.
SOME_TOTALS = TOTALS + "WHERE user_id = ANY ($2::uuid[]) AND ($1::char(2) IS NULL OR country = $1::char(2))"
SOME_GAINS = "WITH g AS MATERIALIZED (SELECT * FROM gains($1, $2) x WHERE x.user_id = ANY ($4::uuid[]))" + GAINS  # noqa: S608

# All of them, and with each row how many there may be.
ALL_TOTALS = TOTALS.replace("hidden\n", "hidden, count(*) OVER ()\n") + "WHERE country = $1::char(2)"
ALL_GAINS = "WITH g AS MATERIALIZED (SELECT * FROM gains($1, $2))" + GAINS.replace(  # noqa: S608 - nothing from outside
    "hidden\n", "hidden, (SELECT count(*) FROM g)\n"
)

# All of it will be read. In the order of an index every row would be a page of its own.
ALL_AT_ONCE = "SET LOCAL cursor_tuple_fraction = 1; SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '32MB'"

FETCH = COLUMNS + ", max(expected) FROM next_members($1)"


def arguments_of(scope: BoardScope, span: Span | None) -> list[object]:
    """What the queries above want of a board first."""
    if (span is None) != (scope.period is Period.ALL_TIME):
        raise ValueError(f"{scope} and {span} do not belong together")
    return [scope.country] if span is None else [span.start_us, span.end_us, scope.country]


def members_in(columns: Sequence[Any], share: float) -> Members:
    """The players of one answer."""
    ids, names, scores, versions, reached_us, totals, countries, avatars, hidden = columns
    if ids is None:
        return Members((), (), (), (), (), (), None, None, share)
    return Members(ids, names, scores, versions, reached_us, totals or scores, countries, avatars, share, hidden)


async def these_members(
    database: Database, scope: BoardScope, span: Span | None, user_ids: Sequence[UserId]
) -> Members:
    """See `ScoreStore.members_of`."""
    rows = SOME_TOTALS if span is None else SOME_GAINS
    arguments = [*arguments_of(scope, span), [user_key(user_id) for user_id in user_ids]]
    asked = f"{COLUMNS} FROM ({rows}) members"
    return members_in(await database.run(lambda connection: connection.fetchrow(asked, *arguments)), 1.0)


@asynccontextmanager
async def reading_members(database: Database, scope: BoardScope, span: Span | None) -> AsyncIterator[MemberPages]:
    """See `ScoreStore.all_members`. A reading that is left half-way costs its connection."""
    async with database.holding() as connection:
        pages = _Pages(database, connection) if scope == EVERYBODY else _Pieces(database, connection, scope, span)
        try:
            await database.use(pages.begin)
            yield pages
        finally:
            with trio.CancelScope(shield=True):
                await database.use(pages.end)


class _Reading:
    """The next question is on its way while an answer is worked on. Methods but `next` are for asyncio."""

    def __init__(self, database: Database, connection: asyncpg.Connection) -> None:
        self._database, self._connection = database, connection
        self._done = False
        self._asked: asyncio.Future[Sequence[Any]]

    async def begin(self) -> None:
        """Take the snapshot, and ask for the first players."""
        self._asked = asyncio.get_running_loop().create_future()
        await self._connection.execute(BEGIN)
        await self._open()
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
            members = await self._database.use(self._answer)
            if members.user_ids:
                return members
        return None

    def _go_on(self, query: str, *arguments: object) -> None:
        question = self._connection.fetchrow(query, *arguments, timeout=PATIENCE_S)
        self._asked = asyncio.get_running_loop().create_task(question)

    async def _answered(self) -> Sequence[Any]:
        # Not cancelled with its caller: then the driver would open a connection to tell the server so, without a bound.
        return await asyncio.shield(self._asked)

    async def _open(self) -> None:
        raise NotImplementedError

    def _ask(self) -> None:
        """Ask for the next players, or be done."""
        raise NotImplementedError

    async def _answer(self) -> Members:
        """What was asked for; the next question is asked."""
        raise NotImplementedError


class _Pages(_Reading):
    """The pages of the table, for the board of everybody."""

    async def _open(self) -> None:
        self._at = 0
        self._length = await self._connection.fetchval(LENGTH)

    def _ask(self) -> None:
        self._done = self._at >= self._length
        if not self._done:
            self._go_on(PAGE, (self._at, 0), (self._at + PAGES, 0))

    async def _answer(self) -> Members:
        columns = await self._answered()
        self._at += PAGES
        self._ask()
        return members_in(columns, min(self._at / self._length, 1.0))


class _Pieces(_Reading):
    """The rows of a query, for any other board."""

    def __init__(
        self, database: Database, connection: asyncpg.Connection, scope: BoardScope, span: Span | None
    ) -> None:
        super().__init__(database, connection)
        self._query, self._arguments = ALL_TOTALS if span is None else ALL_GAINS, arguments_of(scope, span)
        self._told = 0

    async def _open(self) -> None:
        await self._connection.execute(ALL_AT_ONCE)
        await self._connection.fetch(f"DECLARE members NO SCROLL CURSOR FOR {self._query}", *self._arguments)

    def _ask(self) -> None:
        if not self._done:
            self._go_on(FETCH, PIECE)

    async def _answer(self) -> Members:
        *columns, expected = await self._answered()
        count = len(columns[0] or ())
        self._told += count
        self._done = count < PIECE
        self._ask()
        return members_in(columns, 1.0 if self._done else min(self._told / expected, 1.0))
