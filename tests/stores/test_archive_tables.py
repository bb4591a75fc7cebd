from __future__ import annotations

import pytest

from actors.ports import Period, Span, StoreFault
from scoreboard.stores.opening import Stores
from tests.contract.making import real_world, write
from tests.vault import open_stores

pytestmark = pytest.mark.stores
MINUTE_US = 60_000_000
ATTEMPTS = (
    "UPDATE leaderboard_entries SET score = 0",
    "DELETE FROM leaderboard_entries",
    "TRUNCATE leaderboard_entries",
    (
        "INSERT INTO leaderboard_entries (snapshot_id, rank, user_id, username, score, reached_at)"
        " SELECT snapshot_id, 2, user_id, username, score, reached_at FROM leaderboard_entries"
    ),
    (
        "INSERT INTO leaderboard_entries (snapshot_id, rank, user_id, username, score, reached_at)"
        " SELECT 1000, 2, user_id, username, score, reached_at FROM leaderboard_entries"
    ),
    "UPDATE leaderboard_snapshots SET players = 7",
    "UPDATE leaderboard_snapshots SET state = 'closing', players = NULL, closed_at = NULL",
    "DELETE FROM leaderboard_snapshots",
    "TRUNCATE leaderboard_snapshots",
)

MANY_ROWS = """
INSERT INTO score_updates
    (user_id, created_at, operation_id, action_type, score_increment, previous_score, new_score, version)
SELECT gen_random_uuid(), now(), gen_random_uuid(), 'INCREMENT', 1, 0, 1, 1 FROM generate_series(1, 40000)
"""
NEW_RANGES = "SELECT summarize_ledger()"


async def closed(stores: Stores) -> None:
    """A day with one player, closed."""
    world = real_world(stores)
    ann = await world.player("Ann")
    now_us = await world.now_us()
    await stores.scores.commit([write(ann, occurred_us=now_us)])
    back = await world.pass_time(20 * MINUTE_US)
    span = Span(now_us - back - MINUTE_US, now_us - back + MINUTE_US, "a day")
    assert [span] == await stores.archive.open(Period.DAILY, [span])
    assert await stores.archive.close_next() is not None


async def test_the_database_itself_refuses_to_change_the_archive(postgres_url: str, redis_url: str) -> None:
    """Whoever writes such a statement, by hand or in code that is yet to come."""
    async with open_stores(postgres_url, redis_url) as stores:
        await closed(stores)
        before = await stores.archive.page(Period.DAILY, "a day", limit=10)
        for attempt in ATTEMPTS:
            with pytest.raises(StoreFault, match="never changes"):
                await stores.database.run(lambda connection, sql=attempt: connection.execute(sql))  # type: ignore[misc]
        assert before == await stores.archive.page(Period.DAILY, "a day", limit=10)


async def test_a_purge_forgets_nothing_that_periods_and_their_archive_need(postgres_url: str, redis_url: str) -> None:
    """However late the moment that it is told, and maintenance neither."""
    async with open_stores(postgres_url, redis_url) as stores:
        world = real_world(stores)
        ann = await world.player("Ann")
        now_us = await world.now_us()
        await stores.scores.commit([write(ann, "key", occurred_us=now_us)])
        assert 2 == await stores.scores.purge(before_us=now_us * 2)
        await stores.maintain()
        span = Span(now_us - MINUTE_US, now_us + MINUTE_US, "a day")
        assert [span] == await stores.archive.open(Period.DAILY, [span])
        page = await stores.archive.page(Period.DAILY, "a day", limit=10)
        assert page is not None
        assert [ann] == [row.user_id for row in page.rows]


async def test_what_was_scored_before_there_was_a_time_of_action_counts_when_it_was_written(
    postgres_url: str, redis_url: str
) -> None:
    """Rows of the version before have none."""
    async with open_stores(postgres_url, redis_url) as stores:
        world = real_world(stores)
        ann = await world.player("Ann")
        await stores.scores.commit([write(ann, occurred_us=await world.now_us() - 5 * MINUTE_US)])
        await stores.database.run(lambda connection: connection.execute("UPDATE score_updates SET occurred_at = NULL"))
        now_us = await world.now_us()
        span = Span(now_us - MINUTE_US, now_us + MINUTE_US, "a day")
        assert [span] == await stores.archive.open(Period.DAILY, [span])


async def test_what_is_new_in_the_ledger_is_found_by_its_time_after_maintenance(
    postgres_url: str, redis_url: str
) -> None:
    """Without it every question for a period would read all that came since the last vacuum."""
    async with open_stores(postgres_url, redis_url) as stores:
        await stores.database.run(lambda connection: connection.execute(MANY_ROWS))
        await stores.maintain()
        assert 0 == await stores.database.run(lambda connection: connection.fetchval(NEW_RANGES))
        await stores.database.run(lambda connection: connection.execute(MANY_ROWS))
        assert 0 < await stores.database.run(lambda connection: connection.fetchval(NEW_RANGES))
