from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio

from actors.ports import NameTaken, Registered
from scoreboard.security.lookalikes import look
from scoreboard.stores.opening import Stores
from tests.contract.making import account
from tests.vault import open_stores

pytestmark = pytest.mark.stores

PLAIN = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
VALUES (gen_random_uuid(), $1, lower($1), '', 'hmac:' || $1, 'x')
"""
MANY = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
SELECT gen_random_uuid(), 'p' || n, 'p' || n, '', 'hmac:' || n, 'x' FROM generate_series(1, 1200) AS n
"""


async def ask(stores: Stores, sql: str, *arguments: Any) -> list[Any]:
    """The rows of a statement."""
    rows = await stores.database.run(lambda connection: connection.fetch(sql, *arguments))
    return [tuple(row) for row in rows]


async def test_names_of_before_get_their_looks(postgres_url: str, redis_url: str) -> None:
    """Then nobody new looks like them; those that look alike already stay, and the look is the first one's."""
    async with open_stores(postgres_url, redis_url) as stores:
        for name in ("Paypal", "PaypaI", "Bob"):
            await ask(stores, PLAIN, name)
        assert 3 == await stores.fill_looks(look)
        assert 0 == await stores.fill_looks(look)
        rows = dict(await ask(stores, "SELECT username, look FROM users"))
        assert ("paypal", "bob") == (rows["Paypal"], rows["Bob"])
        assert rows["PaypaI"].startswith("twin:")
        for name in ("PAYPAL1", "B0b"):
            new = replace(account(name), look=look(name))
            wanted = NameTaken(alike=True) if name == "B0b" else Registered
            outcome = await stores.accounts.register(new)
            assert outcome == wanted if isinstance(wanted, NameTaken) else isinstance(outcome, wanted)


async def test_workers_that_fill_in_at_once_do_each_once(postgres_url: str, redis_url: str) -> None:
    """Also while somebody registers."""
    async with open_stores(postgres_url, redis_url) as stores:
        await ask(stores, MANY)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(stores.fill_looks, look)
            nursery.start_soon(stores.accounts.register, replace(account("Eve"), look="eve"))
        assert [(0,)] == await ask(stores, "SELECT count(*) FROM users WHERE look IS NULL OR look LIKE 'twin%'")
