"""The cheap way of a call whose writes are all news: when it is attempted, and in which order it locks."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import pytest
import trio

from actors.ports import CommitOutcome, Committed, Repeated, ScoreFact, ScoreWrite, TokenSpent, UnknownUser, UserId
from scoreboard.stores.foresight import Foresight
from scoreboard.stores.opening import Stores
from tests.contract.making import write
from tests.stores.test_ledger_tables import LEFT_BEHIND, ask, registered
from tests.vault import open_stores

pytestmark = pytest.mark.stores

PLAYERS = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
SELECT md5('player ' || n)::uuid, 'player ' || n, 'player ' || n, n, n, '-' FROM generate_series(1, $1::integer) AS n
RETURNING user_id::text
"""
DEFINITION = """
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'commit_fresh' ORDER BY oid DESC LIMIT 1
"""
ATTEMPTS = "SELECT last_value, is_called FROM attempts"  # a sequence counts what was undone, too
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
FREE = "SELECT user_id::text FROM users ORDER BY user_id FOR UPDATE SKIP LOCKED"
FACT = ScoreFact(UserId("ann"), "Ann", 1, 1, 1)
NEWS, AGAIN = Committed(FACT, 1), Committed(FACT, 1, again=True)
HELD = "SELECT 1 FROM users WHERE user_id = $1 FOR UPDATE"


async def count_attempts(stores: Stores) -> None:
    """Let the function itself count how often it is called."""
    [(definition,)] = await ask(stores, DEFINITION)
    counting = str(definition).replace("\nBEGIN\n", "\nBEGIN\nPERFORM nextval('attempts');\n", 1)
    await stores.database.run(lambda connection: connection.execute(f"CREATE SEQUENCE attempts; {counting}"))


async def attempted(stores: Stores, *writes: ScoreWrite) -> bool:
    """Commit these; whether they were written, or tried to be, before any was judged."""
    before = await ask(stores, ATTEMPTS)
    await stores.scores.commit(writes)
    return before != await ask(stores, ATTEMPTS)


async def test_calls_that_are_not_news_again_and_again_are_judged_at_once(postgres_url: str, redis_url: str) -> None:
    """The attempt is made again when they are; what counts is the same either way."""
    async with open_stores(postgres_url, redis_url) as stores:
        await count_attempts(stores)
        ann = await registered(stores, "Ann")
        known = write(ann)
        await stores.scores.commit([known])
        attempts = [await attempted(stores, write(ann), known) for _ in range(4)]
        attempts += [await attempted(stores, write(ann)) for _ in range(3)]
        assert [True, True, False, False, False, False, True] == attempts
        assert [(8, 8, 8, 0)] == await ask(stores, LEFT_BEHIND)


def test_one_surprise_does_not_keep_from_the_next_attempt() -> None:
    """A refusal is a surprise as well as a known write."""
    foresight = Foresight()
    for outcome in (TokenSpent(), AGAIN, UnknownUser(), Repeated(FACT, 1, None, None)):
        assert foresight.news
        foresight.learn([NEWS, outcome])
        assert foresight.news
        foresight.learn([NEWS, NEWS])
    foresight.learn([AGAIN])
    foresight.learn([AGAIN])
    assert "<Foresight no news>" == repr(foresight)


@pytest.mark.parametrize("judged", [False, True], ids=["attempted", "judged"])
async def test_two_workers_with_the_same_players_wait_for_each_other_in_one_direction(
    postgres_url: str, redis_url: str, *, judged: bool
) -> None:
    """The players of a call are locked by their ids, whatever the order of its writes.

    Whoever waits for one player holds none behind it; so opposite orders cannot block each other, and all count.
    """
    async with open_stores(postgres_url, redis_url) as one, open_stores(postgres_url, redis_url) as other:
        players = sorted(UserId(str(user_id)) for (user_id,) in await ask(one, PLAYERS, 300))
        calls = [[write(player) for player in order] for order in (players, players[::-1], shuffled(players))]
        known = [write(players[0])] if judged else []
        for stores in (one, one, one, other, other):
            await stores.scores.commit(known)
            await stores.database.run(partial(stores.personal.keys.of, users=[UUID(each) for each in players]))
        outcomes: list[CommitOutcome] = []

        async def commit(stores: Stores, call: list[ScoreWrite]) -> None:
            outcomes.extend(await stores.scores.commit(call))

        async with trio.open_nursery() as nursery:
            async with holding(one, players[150]):
                for stores, call in zip((one, other, one), calls, strict=True):
                    nursery.start_soon(commit, stores, call)
                while await ask(other, WAITING) != [(3,)]:
                    pass
                assert [(each,) for each in players[151:]] == await ask(other, FREE)
        assert 900 == sum(isinstance(each, Committed) for each in outcomes)
        assert [(900 + judged, 900 + judged, 900 + judged, 0)] == await ask(one, LEFT_BEHIND)


def shuffled(players: list[UserId]) -> list[UserId]:
    """In an order of no meaning."""
    return random.Random(7).sample(players, len(players))


@asynccontextmanager
async def holding(stores: Stores, player: UserId) -> AsyncIterator[None]:
    """Have the row of a player locked by a transaction."""
    async with stores.database.holding() as connection:
        await stores.database.use(lambda: connection.execute("BEGIN"))
        await stores.database.use(lambda: connection.execute(HELD, player))
        yield
        await stores.database.use(lambda: connection.execute("ROLLBACK"))
