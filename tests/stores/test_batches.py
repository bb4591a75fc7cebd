"""Batches and changes of players in Postgres: what is committed late, and what is done in SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from actors.ports import Committed, Stretch
from scoreboard.stores.chains import Chains
from scoreboard.stores.opening import Stores
from scoreboard.stores.postgres_batches import KEPT, SWEEP_CHANGES, PostgresBatches
from tests.contract.making import account, write
from tests.vault import open_stores

pytestmark = pytest.mark.stores
NOBODY = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def opened(postgres_url: str) -> AsyncIterator[tuple[Stores, PostgresBatches]]:
    """The stores, and what another worker sees."""
    async with open_stores(postgres_url, NOBODY) as stores:
        yield stores, PostgresBatches(stores.database, Chains())


async def sql(stores: Stores, statement: str, *arguments: Any) -> None:
    """One statement in a transaction of its own."""
    await stores.database.run(lambda connection: connection.execute(statement, *arguments))


#: The commit of what this chain seals waits for whoever has the lock.
LATE = """
CREATE FUNCTION be_late() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON audit_batches DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.chain = '{chain}') EXECUTE FUNCTION be_late()
"""


async def test_a_batch_that_is_committed_late_is_not_skipped(postgres_url: str) -> None:
    """Of another worker meanwhile much more was committed and seen; the late one comes with the next look."""
    async with opened(postgres_url) as (stores, batches), open_stores(postgres_url, NOBODY) as late:
        for name in ("Ann", "Bob"):
            await stores.accounts.register(account(name))
        ann, bob = await stores.scores.members_after(None, 2)
        await sql(stores, LATE.format(chain=late.batches._own))  # type: ignore[attr-defined]
        async with stores.database.holding() as connection, trio.open_nursery() as nursery:
            await stores.database.use(lambda: connection.execute("SELECT pg_advisory_lock(1)"))
            nursery.start_soon(late.scores.commit, [write(ann.user_id)])
            await _waits_for_a_lock(stores)
            for _ in range(3):
                await stores.scores.commit([write(bob.user_id)])
            first = await batches.look({}, None)
            assert [3] == list(first.newest.values())
            await stores.database.use(lambda: connection.execute("SELECT pg_advisory_unlock(1)"))
        second = await batches.look(first.newest, first.position)
        [batch] = await batches.read({chain: Stretch(0, 9) for chain in second.newest}, 9)
        assert [(ann.user_id, 1)] == [(fact.user_id, fact.score) for fact in batch.facts]


async def _waits_for_a_lock(stores: Stores) -> None:
    asked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with trio.fail_after(10):
        while not await stores.database.run(lambda connection: connection.fetchval(asked)):  # noqa: ASYNC110
            await trio.sleep(0.01)


async def test_a_change_that_is_committed_late_is_told_once(postgres_url: str) -> None:
    """With the look that sees it first; not with each look while another transaction runs."""
    async with opened(postgres_url) as (stores, batches):
        await stores.accounts.register(account("Ann"))
        [ann] = await stores.scores.members_after(None, 1)
        async with stores.database.holding() as connection:
            await stores.database.use(lambda: connection.execute("BEGIN"))
            await stores.database.use(lambda: connection.execute("UPDATE users SET country = 'DE'"))
            sight = await batches.look({}, None)
            told = []
            for name in ("Bob", "Eve"):
                await stores.accounts.register(account(name))
                sight = await batches.look({}, sight.position)
                told.append(len(sight.changed))
            await stores.database.use(lambda: connection.execute("COMMIT"))
        assert [1, 1] == told
        sight = await batches.look({}, sight.position)
        assert {ann.user_id} == sight.changed
        assert not (await batches.look({}, sight.position)).changed


async def test_very_many_new_players_at_once_are_told_as_everybody(postgres_url: str) -> None:
    """A statement that makes a million writes one row and not a million."""
    many = """
    INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
    SELECT gen_random_uuid(), n, n, n, n, '' FROM (SELECT $1 || i FROM generate_series(1, $2::bigint) i) t (n)
    """
    async with opened(postgres_url) as (stores, batches):
        first = await batches.look({}, None)
        await sql(stores, many, "a", 1000)
        second = await batches.look({}, first.position)
        await sql(stores, many, "b", 1001)
        third = await batches.look({}, second.position)
        assert (1000, False, {None}) == (len(second.changed), None in second.changed, set(third.changed))


async def test_a_change_by_hand_gets_a_version(postgres_url: str) -> None:
    """One, if it is to be seen; of a score, or of what was so before, none comes; nor a second one if it has one."""
    async with opened(postgres_url) as (stores, _):
        await stores.accounts.register(account("Ann"))
        versions = []
        for change in (
            "is_banned = true",
            "is_quarantined = true",
            "is_banned = false",
            "is_quarantined = false",
            "username = 'Anna'",
            "avatar = 'https://example.org/a.png', version = version + 1",
            "score = 7, is_flagged = true, country = NULL",
        ):
            await sql(stores, f"UPDATE users SET {change}")
            [ann] = await stores.scores.members_after(None, 1)
            versions.append(ann.version)
        assert [1, 1, 1, 2, 3, 4, 4] == versions


async def test_what_is_long_told_is_swept(postgres_url: str) -> None:
    """Not what is younger."""
    async with opened(postgres_url) as (stores, batches):
        first = await batches.look({}, None)
        await stores.accounts.register(account("Ann"))
        await sql(stores, SWEEP_CHANGES, KEPT)
        assert 1 == len((await batches.look({}, first.position)).changed)
        await sql(stores, "UPDATE player_changes SET at = at - interval '25 hours'")
        await sql(stores, SWEEP_CHANGES, KEPT)
        assert not (await batches.look({}, first.position)).changed


async def test_a_batch_of_several_pieces_is_not_numbered(postgres_url: str) -> None:
    """A key that stands twice parts them; others read them by their numbers, of which none is left out."""
    async with opened(postgres_url) as (stores, batches):
        await stores.accounts.register(account("Ann"))
        [ann] = await stores.scores.members_after(None, 1)
        twins = [write(ann.user_id, "key"), write(ann.user_id, "key", request=b"other"), write(ann.user_id)]
        done = [each for each in await stores.scores.commit(twins) if isinstance(each, Committed)]
        assert 2 == len(done)
        sight = await batches.look({}, None)
        [chain] = sight.newest
        read = await batches.read({chain: Stretch(0, 9)}, 9)
        assert [each.fact for each in done] == [fact for batch in read for fact in batch.facts]
        assert {0 if len(read) > 1 else 1} == {each.batch for each in done}


async def test_two_replicas_that_were_promoted_of_one_primary_have_other_histories(postgres_url: str) -> None:
    """Both are on the next timeline; only the one that was looked at there has the name that was given to it then."""
    async with opened(postgres_url) as (stores, batches), open_stores(postgres_url, NOBODY) as other:
        first = (await batches.look({}, None)).history
        assert first == (await other.batches.look({}, None)).history
        await sql(stores, "DELETE FROM histories")  # as at one that never followed the other
        seconds = [(await each.look({}, None)).history for each in (batches, other.batches, batches)]
        assert 1 == len(set(seconds))
        assert (True, first[:8]) == (first != seconds[0], seconds[0][:8])
