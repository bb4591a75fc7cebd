"""The connection that stays at hand between two units of work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import pytest
import trio
import trio_asyncio
from trio.testing import wait_all_tasks_blocked

from actors.ports import CommitUnknown, StoreFault
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.postgres_connections import Connections
from scoreboard.stores.postgres_hosts import Hosts
from scoreboard.stores.postgres_pool import Database, open_pool
from tests.stores.bounds import UNHURRIED

pytestmark = pytest.mark.stores


@dataclass(slots=True)
class Asked:
    """The pool, and how often it was asked."""

    pool: asyncpg.Pool
    acquired: int = 0
    released: int = 0

    async def acquire(self, **bounds: float) -> Any:
        """As the pool does."""
        self.acquired += 1
        return await self.pool.acquire(**bounds)

    async def release(self, connection: Any, **bounds: float) -> None:
        """As the pool does."""
        self.released += 1
        await self.pool.release(connection, **bounds)

    async def expire_connections(self) -> None:
        """As the pool does."""
        await self.pool.expire_connections()

    async def close(self) -> None:
        """As the pool does."""
        await self.pool.close()

    def terminate(self) -> None:
        """As the pool does."""
        self.pool.terminate()


@asynccontextmanager
async def lending(url: str, size: int, in_a_row: int = 100) -> AsyncIterator[tuple[Database, Asked]]:
    """A database with so many connections, and its pool."""
    async with trio_asyncio.open_loop() as loop:
        loop.set_exception_handler(lambda *_: None)  # to which the driver tells a transaction that was left open
        asked = Asked(await loop.run_aio_coroutine(open_pool(Hosts(url, UNHURRIED).connect, size, UNHURRIED)))
        connections: Any = asked
        breaker = Breaker("Postgres", partial(asyncio.sleep, 0))
        database = Database(loop, Connections(connections, UNHURRIED, in_a_row=in_a_row), breaker)
        yield database, asked
        await loop.run_aio_coroutine(database.close())


async def session(connection: Any) -> int:
    """The number of the session at the server."""
    number: int = await connection.fetchval("SELECT pg_backend_pid()")
    return number


async def test_one_unit_after_the_other_does_not_ask_the_pool(postgres_url: str) -> None:
    """They all go over one session, and the pool gets it back in the end."""
    async with lending(postgres_url, 3) as (database, asked):
        sessions = {await database.run(session) for _ in range(20)}
        assert (1, 1, 0) == (len(sessions), asked.acquired, asked.released)
    assert 1 == asked.released


async def test_a_connection_passes_through_the_pool_now_and_then(postgres_url: str) -> None:
    """So that what is worn out is replaced there."""
    async with lending(postgres_url, 1, in_a_row=4) as (database, asked):
        for _ in range(15):
            await database.run(session)
        assert (3, 3) == (asked.acquired, asked.released)


async def test_who_waits_for_the_pool_gets_what_comes_back(postgres_url: str) -> None:
    """Nothing is kept from them: two sessions serve twenty, one of which does not come to its end."""
    found = []
    async with lending(postgres_url, 2) as (database, _), trio.open_nursery() as nursery:
        nursery.start_soon(database.run, lambda connection: connection.execute("SELECT pg_sleep(0.2)"))

        async def ask() -> None:
            found.append(await database.run(session))

        for _ in range(20):
            nursery.start_soon(ask)
    assert 20 == len(found)


async def test_a_transaction_left_open_is_not_kept(postgres_url: str) -> None:
    """The pool ends it; the next unit of work begins with nothing."""
    async with lending(postgres_url, 1) as (database, asked):
        await database.run(lambda connection: connection.execute("BEGIN; CREATE TABLE left_open ()"))
        assert 1 == asked.released
        assert await database.run(lambda connection: connection.fetchval("SELECT to_regclass('left_open')")) is None


async def test_a_connection_whose_work_failed_is_not_kept(postgres_url: str) -> None:
    """The pool looks after it."""
    async with lending(postgres_url, 1) as (database, asked):
        with pytest.raises(StoreFault):
            await database.run(lambda connection: connection.execute("SELECT 1 / 0"))
        assert (1, 1) == (asked.acquired, asked.released)
        await database.run(session)
        assert 2 == asked.acquired


async def test_of_two_that_come_back_one_is_kept(postgres_url: str) -> None:
    """The pool has the other."""
    async with lending(postgres_url, 2) as (database, asked):
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(database.run, lambda connection: connection.execute("SELECT pg_sleep(0.1)"))
        assert (2, 1) == (asked.acquired, asked.released)


async def test_a_connection_that_its_work_closed_is_not_kept(postgres_url: str) -> None:
    """What the work found stands, and the next one gets another session."""
    async with lending(postgres_url, 1) as (database, asked):

        async def last_words(connection: Any) -> int:
            number = await session(connection)
            await connection.close()
            return number

        assert await database.run(last_words) != await database.run(session)
        assert 2 == asked.acquired


async def test_work_under_way_with_a_server_that_is_left_does_not_end_as_if_it_stood(postgres_url: str) -> None:
    """Whether it does is unknown, and asked of the one that is followed; what comes next has a connection there."""
    async with lending(postgres_url, 2) as (database, _asked), trio.open_nursery() as nursery:
        before = await database.run(session)

        @nursery.start_soon
        async def under_way() -> None:
            with pytest.raises(CommitUnknown):
                await database.run(lambda connection: connection.execute("SELECT pg_sleep(60)"), on_loss=CommitUnknown)

        await wait_all_tasks_blocked(0.01)
        await database.loop.run_aio_coroutine(database.connections.replace(cut=True))
        assert before != await database.run(session)


async def test_a_session_that_ended_by_itself_keeps_no_other_from_being_replaced(postgres_url: str) -> None:
    """As when the server went away that is left now: a board's reading holds one, and has not asked since."""
    async with lending(postgres_url, 3) as (database, _asked):
        async with database.holding() as held:
            ending = await database.loop.run_aio_coroutine(session(held))
            async with trio.open_nursery() as nursery:

                @nursery.start_soon
                async def under_way() -> None:
                    with pytest.raises(CommitUnknown):
                        await database.run(lambda each: each.execute("SELECT pg_sleep(60)"), on_loss=CommitUnknown)

                await wait_all_tasks_blocked(0.01)
                await database.run(lambda each: each.execute("SELECT pg_terminate_backend($1, 2000)", ending))
                await wait_all_tasks_blocked(0.01)
                await database.loop.run_aio_coroutine(database.connections.replace(cut=True))


async def test_a_session_in_use_when_none_is_trusted_any_more_is_not_lent_again(postgres_url: str) -> None:
    """A name may lead to another server by then, and this one go on as if nothing were: what it takes is lost."""
    async with lending(postgres_url, 2) as (database, _asked):

        async def under_way(connection: Any) -> int:
            await database.connections.replace()
            return await session(connection)

        assert await database.run(under_way) not in {await database.run(session) for _ in range(3)}


async def test_a_connection_that_was_being_made_when_a_server_was_left_is_not_lent(postgres_url: str) -> None:
    """It is one to the former primary, which may take what nobody will ever find again."""
    began, go_on = asyncio.Event(), asyncio.Event()
    place = ["former"]

    async def connect(_url: str = "", **options: Any) -> asyncpg.Connection:
        options["server_settings"] = {"application_name": place[0]}
        began.set()
        await go_on.wait()
        return await asyncpg.connect(postgres_url, **options)

    async def lent() -> str:
        connections = Connections(await open_pool(connect, 1, UNHURRIED, least=0), UNHURRIED)
        taking = asyncio.ensure_future(connections.take())
        await began.wait()
        place[0] = "followed"
        await connections.replace(cut=True)
        go_on.set()
        connection = await taking
        name: str = await connection.fetchval("SELECT current_setting('application_name')")
        await connections.give_back(connection, in_order=True)
        await connections.close()
        return name

    async with trio_asyncio.open_loop() as loop:
        assert "followed" == await loop.run_aio_coroutine(lent())
