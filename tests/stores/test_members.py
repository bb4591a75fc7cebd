from __future__ import annotations

import pytest

from actors.ports import StoreUnavailable, UserId
from scoreboard.stores import postgres_members
from scoreboard.stores.opening import Stores
from tests.contract.making import real_world
from tests.vault import open_stores

END_READERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%array_agg%' AND pid <> pg_backend_pid()"
)
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"


async def transactions(stores: Stores) -> int:
    """How many are open without anybody working in them."""
    count: int = await stores.database.run(lambda connection: connection.fetchval(OPEN))
    return count


@pytest.mark.stores
async def test_a_reading_that_loses_its_connection_says_so_and_the_next_one_begins_anew(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a page of it is told as if it were the last one."""
    monkeypatch.setattr(postgres_members, "PAGES", 1)
    async with open_stores(postgres_url, redis_url) as stores:
        world = real_world(stores)
        ids = [await world.player(f"player {number}") for number in range(100)]
        with pytest.raises(StoreUnavailable):
            await _broken_reading(stores)
        assert 0 == await transactions(stores)
        found: list[UserId] = []
        async with stores.scores.all_members() as pages:
            while (page := await pages.next()) is not None:
                found += page.user_ids
        assert sorted(ids) == sorted(found)
        assert 0 == await transactions(stores)


async def _broken_reading(stores: Stores) -> None:
    async with stores.scores.all_members() as pages:
        await pages.next()
        await stores.database.run(lambda connection: connection.execute(END_READERS))
        while await pages.next() is not None:
            pass


@pytest.mark.stores
async def test_a_refused_beginning_gives_back_no_open_transaction(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails behind BEGIN costs the connection, not whoever gets it next."""
    monkeypatch.setattr(postgres_members, "LENGTH", "SELECT 1 / 0")
    async with open_stores(postgres_url, redis_url, postgres_connections=1) as stores:
        with pytest.raises(Exception, match="division by zero"):
            async with stores.scores.all_members():
                pass
        assert 1 == await stores.database.run(lambda connection: connection.fetchval("SELECT 1"))
        assert 0 == await transactions(stores)
