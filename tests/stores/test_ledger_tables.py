from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
import pytest

from actors.ports import (
    ALL_TIME,
    MAX_SCORE,
    NEVER_US,
    Committed,
    Registered,
    ScoreFact,
    ScoreWrite,
    UserId,
)
from scoreboard.stores import redis_board
from scoreboard.stores.opening import Stores
from scoreboard.stores.postgres_scores import MEMBERS, PURGE_TOKENS, segment_starts, write_columns
from scoreboard.stores.postgres_values import user_key
from scoreboard.stores.redis_events import decode, encode
from scoreboard.stores.trail import trail
from tests.contract.making import HERE, NOW_US, account, again, write
from tests.vault import open_stores

pytestmark = pytest.mark.stores
ANN = UserId("ann")


async def ask(stores: Stores, sql: str, *arguments: object) -> list[tuple[object, ...]]:
    """Rows of a query."""
    rows = await stores.database.run(lambda connection: connection.fetch(sql, *arguments))
    return [tuple(row) for row in rows]


async def test_the_ledger_tells_who_did_what_from_where(postgres_url: str, redis_url: str) -> None:
    """A row for each write that counted, none for what did not."""
    async with open_stores(postgres_url, redis_url) as stores:
        registered = await stores.accounts.register(account("Ann"))
        assert isinstance(registered, Registered)
        first = write(registered.fact.user_id, points=2)
        [one, _, two] = await stores.scores.commit([first, again(first), write(first.user_id)])
        assert isinstance(one, Committed)
        assert isinstance(two, Committed)
        rows = await ask(
            stores,
            "SELECT user_id::text, action_type, score_increment, previous_score, new_score, version, to_us(created_at)"
            " FROM score_updates ORDER BY created_at",
        )
        assert [
            (first.user_id, "INCREMENT", 2, 0, 2, 1, one.fact.reached_us),
            (first.user_id, "INCREMENT", 1, 2, 3, 2, two.fact.reached_us),
        ] == rows
        lines = await trail(stores.database, stores.personal, user_id=first.user_id, since_us=0, limit=9)
        assert [(HERE.address, HERE.user_agent)] * 2 == [(line.address, line.user_agent) for line in lines]


async def test_months_are_made_ahead_by_themselves(postgres_url: str, redis_url: str) -> None:
    """This month and three more; asking again makes none."""
    async with open_stores(postgres_url, redis_url) as stores:
        now = datetime.now(UTC)
        months = [divmod(now.year * 12 + now.month - 1 + ahead, 12) for ahead in range(5)]
        names = [f"score_updates_{year}_{month + 1:02}" for year, month in months]
        await stores.maintain()
        listed = "SELECT relid::text FROM pg_partition_tree('score_updates') WHERE isleaf ORDER BY 1"
        assert [(name,) for name in [*names[:4], "score_updates_default"]] == await ask(stores, listed)
        assert [(1,)] == await ask(stores, "SELECT ensure_partitions(4)")
        assert [(name,) for name in [*names, "score_updates_default"]] == await ask(stores, listed)


async def test_a_score_without_a_month_goes_to_the_default_and_moves_later(postgres_url: str, redis_url: str) -> None:
    """Nothing is refused while partitions are missing, and nothing is lost when they come."""
    async with open_stores(postgres_url, redis_url) as stores:
        registered = await stores.accounts.register(account("Ann"))
        assert isinstance(registered, Registered)
        [(this_month,)] = await ask(
            stores, "SELECT min(relid::text) FROM pg_partition_tree('score_updates') WHERE relid::text LIKE '%\\_20%'"
        )
        await ask(stores, f"DROP TABLE {this_month}")
        [outcome] = await stores.scores.commit([write(registered.fact.user_id)])
        assert isinstance(outcome, Committed)
        count = "SELECT tableoid::regclass::text, count(*) FROM score_updates GROUP BY 1"
        assert [("score_updates_default", 1)] == await ask(stores, count)
        await stores.maintain()
        assert [(this_month, 1)] == await ask(stores, count)


async def test_raising_a_score_touches_no_index(postgres_url: str, redis_url: str) -> None:
    """All updates of players are heap-only: the reason why there is no index on the score."""
    async with open_stores(postgres_url, redis_url, postgres_connections=1) as stores:
        registered = await stores.accounts.register(account("Ann"))
        assert isinstance(registered, Registered)
        for _ in range(20):
            await stores.scores.commit([write(registered.fact.user_id)])
        await ask(stores, "SELECT pg_stat_force_next_flush()")
        sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'users'"
        assert [(20, 20)] == await ask(stores, sql)


@pytest.mark.parametrize("moment", [0, 1, NOW_US + 1, 4_000_000_000_999_999, MAX_SCORE])
async def test_moments_cross_the_border_exactly(postgres_url: str, redis_url: str, moment: int) -> None:
    """To the microsecond, both ways."""
    async with open_stores(postgres_url, redis_url) as stores:
        assert [(moment,)] == await ask(stores, "SELECT to_us(from_us($1))", moment)


async def test_old_sessions_are_swept(postgres_url: str, redis_url: str) -> None:
    """Long after they expired, with their tokens; younger ones stay."""
    async with open_stores(postgres_url, redis_url) as stores:
        registered = await stores.accounts.register(account("Ann"))
        assert isinstance(registered, Registered)
        sql = (
            "INSERT INTO sessions (session_id, user_id, created_at, expires_at)"
            " SELECT gen_random_uuid(), user_id, now(), now() - d * interval '1 day' FROM users, unnest($1::int[]) AS d"
        )
        await ask(stores, sql, [31, 29])
        await stores.maintain()
        assert [(1,)] == await ask(stores, "SELECT count(*) FROM sessions")


def test_a_batch_without_twins_is_one_segment() -> None:
    """The usual case: everything in one statement, whoever the players are."""
    ann, bob = account("Ann").user_id, account("Bob").user_id
    assert [1] == segment_starts([write(ann), write(ann, "key"), write(bob, "key"), write(ann, "other key")])
    assert [] == segment_starts([])


def test_a_segment_ends_where_something_stands_twice() -> None:
    """An operation, a token or a key of the same player."""
    ann, bob = account("Ann").user_id, account("Bob").user_id
    first = write(ann, "key")
    assert [1, 2] == segment_starts([first, first])
    assert [1, 3] == segment_starts([first, write(bob), again(first), write(ann)])
    assert [1, 3] == segment_starts([first, write(bob, "key"), write(ann, "key")])
    assert [1, 2] == segment_starts([first, write(bob)._replace(operation_id=first.operation_id)])


FRESH = "SELECT ord, outcome, score FROM commit_fresh($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ORDER BY ord"
LEFT_BEHIND = (
    "SELECT (SELECT sum(score) FROM users)::bigint, (SELECT count(*) FROM action_tokens),"
    " (SELECT count(*) FROM score_updates), (SELECT count(*) FROM idempotency_keys)"
)


async def test_news_is_written_without_being_judged_first(postgres_url: str, redis_url: str) -> None:
    """The cheap way takes a batch that is all news, several scores of a player among it."""
    async with open_stores(postgres_url, redis_url) as stores:
        [ann, bob] = [await registered(stores, name) for name in ("Ann", "Bob")]
        writes = [write(bob, "k", points=1), write(ann, "k", points=2), write(bob, "l", points=4)]
        keyed = columns_of([each._replace(request_hash=bytes([n])) for n, each in enumerate(writes)])
        assert [(1, 0, 1), (2, 0, 2), (3, 0, 5)] == await ask(
            stores, FRESH, *spread(keyed, 3), stores.scores._chains.scores
        )
        assert [(7, 3, 3, 3)] == await ask(stores, LEFT_BEHIND)


async def test_what_is_not_all_news_ends_the_cheap_way_and_leaves_nothing(postgres_url: str, redis_url: str) -> None:
    """A known token, a known key, a stranger, a banned player, a full total; then each write is judged by itself."""
    async with open_stores(postgres_url, redis_url) as stores:
        [ann, bob, eve] = [await registered(stores, name) for name in ("Ann", "Bob", "Eve")]
        await ask(stores, "UPDATE users SET is_banned = true WHERE user_id = $1", UUID(eve))
        known = write(bob, "known")
        await stores.scores.commit([known])
        before = await ask(stores, LEFT_BEHIND)
        stranger = UserId(str(UUID(int=7)))
        odd = [again(known), write(bob, "known"), write(stranger), write(eve), write(bob, points=MAX_SCORE)]
        for each in odd:
            columns = columns_of([each, write(ann)])
            with pytest.raises(asyncpg.PostgresError):
                async with stores.database.holding() as connection:
                    await stores.database.loop.run_aio_coroutine(
                        connection.fetch(FRESH, *spread(columns, 2), stores.scores._chains.scores)
                    )
            assert before == await ask(stores, LEFT_BEHIND)
        [*_, last] = await stores.scores.commit([*odd[:1], write(ann, points=3)])
        assert isinstance(last, Committed)
        assert 3 == last.fact.score


def columns_of(writes: Sequence[ScoreWrite]) -> Sequence[Sequence[object]]:
    """The writes as arrays, from nowhere."""
    return write_columns(writes, [user_key(each.user_id) for each in writes], [None])


def spread(columns: Sequence[Sequence[object]], count: int) -> list[list[object]]:
    """The columns with an element for each write."""
    return [list(column) * (count // len(column)) for column in columns]


async def registered(stores: Stores, name: str) -> UserId:
    """The id of a new player."""
    answer = await stores.accounts.register(account(name))
    assert isinstance(answer, Registered)
    return answer.fact.user_id


def test_what_all_writes_have_alike_stands_in_their_columns_once() -> None:
    """And what one of them has otherwise stands there for each."""
    ann = account("Ann").user_id
    columns = columns_of([write(ann), write(ann), write(ann)])
    assert [3, 3, 1, 1, 3, 1, 1, 1, 1, 1, 3] == [len(column) for column in columns]
    assert [3, 3, 3, 1, 3, 1, 3, 1, 1, 1, 3] == [
        len(column) for column in columns_of([write(ann), write(ann, "key"), write(ann, points=2)])
    ]


async def test_a_page_of_members_is_read_in_the_order_of_the_index(postgres_url: str, redis_url: str) -> None:
    """It is not sorted: a board of a million players would sort them all anew for each of its hundred pages."""
    async with open_stores(postgres_url, redis_url) as stores:

        async def plan(connection: asyncpg.Connection) -> str:
            await connection.execute("SET enable_seqscan = off")  # on an empty table everything else is dearer
            rows = await connection.fetch("EXPLAIN " + MEMBERS, UUID(int=0), 10)
            await connection.execute("RESET enable_seqscan")
            return "\n".join(row[0] for row in rows)

        shown = await stores.database.run(plan)
    assert "Sort" not in shown
    assert "Index Scan using users_pkey" in shown


async def test_what_is_kept_for_ever_is_not_looked_at_when_tokens_are_purged(postgres_url: str, redis_url: str) -> None:
    """The tokens of batches grow more and more; they are not in the index that a purge reads."""
    async with open_stores(postgres_url, redis_url) as stores:
        ann = await registered(stores, "Ann")
        await stores.scores.commit([write(ann), write(ann)._replace(token_expires_us=NEVER_US)])

        async def plan(connection: asyncpg.Connection) -> str:
            await connection.execute("SET enable_seqscan = off")  # on an empty table everything else is dearer
            rows = await connection.fetch("EXPLAIN " + PURGE_TOKENS, NOW_US, 10)
            await connection.execute("RESET enable_seqscan")
            return "\n".join(row[0] for row in rows)

        assert "using action_tokens_perishable" in await stores.database.run(plan)
        await ask(stores, "REINDEX INDEX action_tokens_perishable")
        assert [(1.0,)] == await ask(
            stores, "SELECT reltuples FROM pg_class WHERE relname = 'action_tokens_perishable'"
        )


def test_an_entry_of_the_version_before_is_still_read() -> None:
    """Its facts had five fields; they seem to have added nothing, so a board of a period sees that it must ask."""
    old = msgspec.msgpack.encode([("ann", "Ann", 5, 2, NOW_US), ("bob", "Bob", 0, 0, 1)])
    assert (ScoreFact(ANN, "Ann", 5, 2, NOW_US), ScoreFact(UserId("bob"), "Bob", 0, 0, 1)) == decode(old)
    whole = ScoreFact(ANN, "Ann", 5, 2, NOW_US, 1, NOW_US - 1, "DE", "a.png")
    assert (whole,) == decode(encode([whole]))


async def test_a_name_in_redis_is_put_again_when_it_changes_or_redis_was_away(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And after a while in any case: what Redis has forgotten comes back."""
    async with open_stores(postgres_url, redis_url) as stores:
        key = f"{stores.redis.prefix}user:{ANN}"

        async def named(name: str) -> object:
            await stores.cache.put(ALL_TIME, [ScoreFact(ANN, name, 1, 1, 1)])
            return await stores.redis.run(lambda client: client.hget(key, "username"))

        assert b"Ann" == await named("Ann")
        assert b"Anna" == await named("Anna")
        await stores.redis.run(lambda client: client.delete(key))
        assert await named("Anna") is None
        monkeypatch.setattr(redis_board, "MOST_NAMES", 0)
        assert b"Anna" == await named("Anna")


async def test_redis_has_of_a_player_what_the_contract_names(postgres_url: str, redis_url: str) -> None:
    """Name, country and avatar; what a player has not is empty, also when it was there before."""
    async with open_stores(postgres_url, redis_url) as stores:
        key = f"{stores.redis.prefix}user:{ANN}"
        shown = []
        for country, avatar in (("US", "https://a/1.png"), ("DE", "https://a/1.png"), (None, None)):
            await stores.cache.put(ALL_TIME, [ScoreFact(ANN, "Ann", 1, 1, 1, country=country, avatar=avatar)])
            shown.append(await stores.redis.run(lambda client: client.hmget(key, "username", "country", "avatar")))
        first, last = [b"Ann", b"US", b"https://a/1.png"], [b"Ann", b"", b""]
        assert [first, [b"Ann", b"DE", b"https://a/1.png"], last] == shown
