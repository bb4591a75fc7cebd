from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import trio

from actors.ports import EmailTaken, Registered, Source, StoreUnavailable, UserId
from scoreboard.security.personal import PersonalVault, master_id
from scoreboard.stores.opening import Stores
from scoreboard.stores.opening import open_stores as open_with_vault
from tests.contract.making import HERE, NOW_US, account, session, token_hash
from tests.stores_fixtures import MASTER, open_stores

pytestmark = pytest.mark.stores

LATER_US = NOW_US + 1_000_000
PLAIN = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
VALUES (gen_random_uuid(), $1, lower($1), $2, lower($2), 'x') RETURNING user_id::text
"""
PLAIN_SESSION = """
INSERT INTO sessions (session_id, user_id, ip_address, user_agent, created_at, expires_at)
VALUES (gen_random_uuid(), $1, '192.0.2.7', 'a browser', from_us($2), from_us($2 + 1000000000))
"""


@dataclass
class Archive:
    """Stores, and what a thief of the database sees."""

    stores: Stores
    postgres_url: str
    redis_url: str

    async def sql(self, statement: str, *arguments: Any) -> list[Any]:
        """One statement."""
        rows = await self.stores.database.run(lambda connection: connection.fetch(statement, *arguments))
        return [tuple(row) for row in rows]

    async def player(self, name: str, email: str) -> UserId:
        """Somebody who has registered."""
        made = await self.stores.accounts.register(account(name, email=email))
        assert isinstance(made, Registered)
        return made.fact.user_id

    async def as_before(self, name: str, email: str) -> UserId:
        """Somebody who has registered with the version before."""
        [[user_id]] = await self.sql(PLAIN, name, email)
        return UserId(user_id)

    async def email(self, user_id: UserId) -> str:
        """What the player is shown."""
        profile = await self.stores.profiles.profile(user_id)
        assert profile is not None
        return profile.email

    async def sources(self, user_id: UserId) -> list[Source]:
        """From where its sessions were opened."""
        return [each.source for each in await self.stores.accounts.sessions(user_id, now_us=LATER_US)]


@pytest.fixture
async def archive(postgres_url: str, redis_url: str) -> AsyncIterator[Archive]:
    """Nobody yet."""
    async with open_stores(postgres_url, redis_url) as stores:
        yield Archive(stores, postgres_url, redis_url)


async def test_an_address_stands_nowhere_in_the_clear_and_is_shown_to_its_owner(archive: Archive) -> None:
    """Neither as it was typed nor folded; and still nobody else can have it."""
    ann = await archive.player("Ann", "Ann.Lee@Example.org")
    [[row]] = await archive.sql("SELECT users::text FROM users")
    assert "lee" not in row.casefold()
    assert b"example.org".hex() not in row
    assert "Ann.Lee@Example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(account("Bob", email="ann.lee@example.org")), EmailTaken)


async def test_an_address_of_before_is_encrypted_and_stays_taken(archive: Archive) -> None:
    """Before that happens, and after it; its owner gets a key by then."""
    ann, taken = await archive.as_before("Ann", "Ann@example.org"), account("Bob", email="ann@example.org")
    assert "Ann@example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(taken), EmailTaken)
    assert 1 == await archive.stores.encrypt_past()
    assert [] == await archive.sql("SELECT FROM users WHERE users::text ILIKE '%example%'")
    assert "Ann@example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(taken), EmailTaken)
    assert 0 == await archive.stores.encrypt_past()


async def test_twins_of_two_versions_are_both_encrypted(archive: Archive) -> None:
    """Both keep what they typed; the address counts as the first one's."""
    ann = await archive.player("Ann", "a@example.org")
    bob = await archive.as_before("Bob", "A@example.org")
    assert 1 == await archive.stores.encrypt_past()
    assert ("a@example.org", "A@example.org") == (await archive.email(ann), await archive.email(bob))


async def test_who_registers_again_with_the_same_call_is_told_the_same(archive: Archive) -> None:
    """And has the key of the first time."""
    first = account("Ann")
    before = await archive.stores.accounts.register(first)
    keys = await archive.sql("SELECT user_id, wrapped FROM user_keys")
    assert before == await archive.stores.accounts.register(first)
    assert keys == await archive.sql("SELECT user_id, wrapped FROM user_keys")
    assert first.email == await archive.email(first.user_id)


async def test_what_is_moved_to_somebody_else_does_not_open(archive: Archive) -> None:
    """Nor what is moved to another column, or changed."""
    ann, bob = await archive.player("Ann", "a@example.org"), await archive.player("Bob", "b@example.org")
    await archive.stores.accounts.open_session(session(bob, token_hash(1)))
    copy = "UPDATE users u SET email_sealed = o.email_sealed FROM users o WHERE u.user_id = $1 AND o.user_id = $2"
    await archive.sql(copy, ann, bob)
    assert "unreadable" == await archive.email(ann)
    await archive.sql("UPDATE sessions SET source = email_sealed FROM users u WHERE u.user_id = sessions.user_id")
    assert [Source("unreadable", "unreadable")] == await archive.sources(bob)
    await archive.sql("UPDATE users SET email_sealed = email_sealed || '\\x00' WHERE user_id = $1", bob)
    assert "unreadable" == await archive.email(bob)


async def test_where_a_session_came_from_stands_nowhere_in_the_clear(archive: Archive) -> None:
    """Its owner sees it; also of sessions from before, which are encrypted later."""
    ann = await archive.player("Ann", "a@example.org")
    await archive.stores.accounts.open_session(session(ann, token_hash(1)))
    await archive.sql(PLAIN_SESSION, ann, NOW_US)
    assert [HERE, HERE] == await archive.sources(ann)
    assert 1 == await archive.stores.encrypt_past()
    assert [HERE, HERE] == await archive.sources(ann)
    told = [row for [row] in await archive.sql("SELECT sessions::text FROM sessions")]
    for clear in ("192.0.2.7", "a browser", b"192.0.2.7".hex(), b"browser".hex()):
        assert [] == [row for row in told if clear in row]


async def test_without_the_master_key_nothing_opens_and_nothing_seems_erased(archive: Archive) -> None:
    """The server says what is missing, instead of serving without it."""
    ann = await archive.player("Ann", "a@example.org")
    async with open_with_vault(archive.postgres_url, archive.redis_url, PersonalVault(lambda: (bytes(32),))) as other:
        for question in (other.profiles.profile(ann), other.open_to_persons(), other.accounts.register(account("Bob"))):
            with pytest.raises(StoreUnavailable, match=f"master key {master_id(MASTER)} is not in the folder"):
                await question


async def test_workers_that_need_a_first_key_at_once_have_the_same(archive: Archive) -> None:
    """Whoever comes first makes it, and all others read it."""
    ann = await archive.as_before("Ann", "a@example.org")
    async with open_stores(archive.postgres_url, archive.redis_url) as other, trio.open_nursery() as nursery:
        for number in range(8):
            accounts = (archive.stores, other)[number % 2].accounts
            nursery.start_soon(accounts.open_session, session(ann, token_hash(number)))
    assert [HERE] * 8 == await archive.sources(ann)
    assert [(1,)] == await archive.sql("SELECT count(*) FROM user_keys")
