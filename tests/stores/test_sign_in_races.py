"""Sessions that are opened while something ends all sessions of their player."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

import pytest
import trio

from actors.ports import Account, StandingChange, UserId
from scoreboard.stores.opening import Stores
from scoreboard.stores.postgres_accounts import OPEN_SESSION
from scoreboard.stores.postgres_values import name_key, user_key
from tests.contract.making import NOW_US, act, real_world, session, token_hash
from tests.vault import open_stores

HELD_UP = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
SPARED = session(UserId("nobody"), token_hash(0)).session_id
NUMBERS = count(100)

Act = Callable[[Stores, Account], Awaitable[object]]
ACTS: dict[str, Act] = {
    "password": lambda stores, who: stores.accounts.change_password(who, "another", spared=SPARED, now_us=NOW_US),
    "role": lambda stores, who: stores.accounts.change_role(who.user_id, "moderator", act()),
    "out": lambda stores, who: stores.accounts.sign_out(who.user_id, act()),
    "ban": lambda stores, who: stores.standing.change_standing(who.user_id, StandingChange(banned=True), act()),
}


@pytest.mark.stores
async def test_who_signs_in_at_the_last_moment_is_signed_out_as_well(postgres_url: str, redis_url: str) -> None:
    """By another password, another role, a ban, and who is in charge: what was proven before them opens nothing."""
    async with open_stores(postgres_url, redis_url) as stores:
        world = real_world(stores)
        for name, ends in ACTS.items():
            player = await world.player(name)
            proven = await stores.accounts.account_of(player)
            assert proven is not None
            await signing_in(stores, proven, partial(ends, stores, proven))
            assert [] == await stores.accounts.sessions(player, now_us=NOW_US), name


async def signing_in(stores: Stores, proven: Account, ends: Callable[[], Awaitable[object]]) -> None:
    """A session is opened, and not committed before that which ends all waits for it."""
    opened = session(proven.user_id, token_hash(next(NUMBERS)))
    ids = name_key(opened.session_id), user_key(proven.user_id)
    asked = (*ids, None, NOW_US, opened.expires_us, opened.refresh_hash, proven.password_hash, proven.role)
    async with stores.database.holding() as connection, trio.open_nursery() as nursery:
        await stores.database.use(lambda: connection.execute("BEGIN"))
        assert await stores.database.use(lambda: connection.fetchval(OPEN_SESSION, *asked))
        nursery.start_soon(ends)
        with trio.fail_after(20):
            while await stores.database.run(lambda each: each.fetchval(HELD_UP)) == 0:
                pass
        await stores.database.use(lambda: connection.execute("COMMIT"))
