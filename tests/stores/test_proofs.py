from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import pytest
import trio

from actors.ports import Earlier, UserId
from scoreboard.stores.opening import Stores
from scoreboard.stores.postgres_evidence import LOCK
from scoreboard.stores.postgres_values import user_key
from tests.contract.making import real_world
from tests.contract.test_evidence import proof
from tests.vault import open_stores

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

HELD_UP = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
ELSEWHERE = """
INSERT INTO action_evidence (action_name, user_id, action_type, action_id, points, verifier, key_name, key_id,
                             proof_time, signature, proven_at)
VALUES ($1, $2, 'RUN', 'match-1', 1, 'hmac', 'game', '', '', '', now())
"""


async def waiting(stores: Stores) -> int:
    """How many wait for who judges a proof of the same player."""
    count: int = await stores.database.run(lambda connection: connection.fetchval(WAITING))
    return count


@pytest.mark.stores
async def test_two_proofs_of_one_player_are_never_judged_at_once(postgres_url: str, redis_url: str) -> None:
    """Whichever servers they come to: the second sees what became of the first.

    Nobody else waits: no other player, and no action of which earlier ones tell nothing.
    """
    async with open_stores(postgres_url, redis_url) as stores:
        world, heard = real_world(stores), list[UserId]()
        ann, bob = await world.player("Ann"), await world.player("Bob")

        async def settle(user_id: UserId, since_us: int | None = 0) -> None:
            def grant(earlier: Sequence[Earlier]) -> list[bool]:
                heard.append(user_id)
                return [True] * len(earlier)

            await stores.evidence.settle([proof(user_id, 1)], [since_us], grant)

        async with stores.database.holding() as connection, trio.open_nursery() as nursery:
            await judging(stores, connection, ann)
            nursery.start_soon(settle, ann)
            with trio.fail_after(20):
                while await waiting(stores) == 0:
                    pass
            with trio.fail_after(20):
                await settle(bob)
                await settle(ann, None)
            assert [bob, ann] == heard
            await stores.database.use(lambda: connection.execute("COMMIT"))
        assert [bob, ann, ann] == heard


@pytest.mark.stores
async def test_of_two_types_that_are_proven_of_one_id_at_once_one_is_granted(postgres_url: str, redis_url: str) -> None:
    """Each on a server of its own, before either knows of the other: who is late hears of it, and is judged again."""
    async with open_stores(postgres_url, redis_url) as stores:
        world, heard = real_world(stores), list[tuple[Earlier, ...]]()
        ann = await world.player("Ann")

        def grant(earlier: Sequence[Earlier]) -> list[bool]:
            heard.append(tuple(earlier))
            return [each.kept_as in (None, "WIN_GAME") for each in earlier]

        async with stores.database.holding() as connection, trio.open_nursery() as nursery:
            await stores.database.use(lambda: connection.execute("BEGIN"))
            await stores.database.use(lambda: connection.execute(ELSEWHERE, proof(ann, 1).name, user_key(ann)))
            nursery.start_soon(stores.evidence.settle, [proof(ann, 1), proof(ann, 2)], [None] * 2, grant)
            with trio.fail_after(20):
                while await stores.database.run(lambda each: each.fetchval(HELD_UP)) == 0:
                    pass
            await stores.database.use(lambda: connection.execute("COMMIT"))
        assert [(Earlier(),) * 2, (Earlier(kept_as="RUN"), Earlier(kept_as="WIN_GAME"))] == heard


async def judging(stores: Stores, connection: asyncpg.Connection, user_id: UserId) -> None:
    """As another server that has begun to judge a proof of this player."""
    await stores.database.use(lambda: connection.execute("BEGIN"))
    await stores.database.use(lambda: connection.execute(LOCK, [user_id]))


@pytest.mark.stores
@pytest.mark.parametrize("change", ["UPDATE action_evidence SET points = 1", "DELETE FROM action_evidence"])
async def test_evidence_is_only_added_to(postgres_url: str, redis_url: str, change: str) -> None:
    """By nobody who comes through the database, either."""
    async with open_stores(postgres_url, redis_url) as stores:
        ann = await real_world(stores).player("Ann")
        await stores.evidence.settle([proof(ann, 1)], [None], lambda earlier: [True] * len(earlier))
        with pytest.raises(Exception, match="never changed or removed"):
            await stores.database.run(lambda connection: connection.execute(change))
