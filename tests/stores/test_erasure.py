from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from actors.ports import (
    NOWHERE,
    USER_ERASED,
    Act,
    EventId,
    EventKind,
    Period,
    Registered,
    Source,
    Span,
    StoreFault,
    UserId,
)
from scoreboard.security.passwords import Passwords, nobodys
from scoreboard.stores.seals import verify
from tests.contract.making import HERE, NOW_US, account, session, token_hash, uuid_of, write
from tests.contract.test_evidence import proof
from tests.stores.test_personal import Archive, event
from tests.vault import open_stores

pytestmark = pytest.mark.stores

GONE = Source("erased", "erased")
HASH = nobodys(4)


@pytest.fixture
async def archive(postgres_url: str, redis_url: str) -> AsyncIterator[Archive]:
    """Nobody yet."""
    async with open_stores(postgres_url, redis_url) as stores:
        yield Archive(stores, postgres_url, redis_url)


ACT = Act(EventId(uuid_of(99)), NOW_US, EventKind.ACT, "operator:root", "asked to")


async def busy(archive: Archive, name: str) -> UserId:
    """A player of whom a trace stands everywhere."""
    user_id = await archive.player(name, f"{name}@example.org")
    await archive.stores.accounts.open_session(session(user_id, token_hash(ord(name[0]))))
    await archive.stores.scores.commit([write(user_id)])
    await archive.stores.evidence.settle([proof(user_id, ord(name[0]))], [None], lambda told: [True] * len(told))
    await archive.stores.audit.record([event(ord(name[0]), f"user:{user_id}", HERE, user_id)])
    return user_id


async def test_who_is_erased_is_erased_everywhere_and_nobody_else_is(archive: Archive) -> None:
    """What never changes stays as it was sealed, and opens no more; the scores stay under another name."""
    ann, bob = await busy(archive, "Ann"), await busy(archive, "Bob")
    assert await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
    assert [] == list((await verify(archive.stores.database)).findings)
    lines = await archive.trail()
    assert {"erased-1", "Bob"} == {line.username for line in lines}
    sources = {line.username: (line.address, line.user_agent) for line in lines if line.what != "USER_ERASED"}
    assert {"erased-1": ("erased", "erased"), "Bob": ("192.0.2.7", "a browser")} == sources
    assert ("erased", "bob@example.org") == (await archive.email(ann), (await archive.email(bob)).casefold())
    [[name, country, avatar, sealed]] = await archive.sql(
        "SELECT username_key, country, avatar, email_sealed FROM users WHERE user_id = $1", ann
    )
    assert ("erased-1", None, None, None) == (name, country, avatar, sealed)
    assert [(None,)] == await archive.sql("SELECT wrapped FROM user_keys WHERE user_id = $1", ann)
    assert [(1,)] == await archive.sql("SELECT score FROM users WHERE user_id = $1", ann)
    told = "\n".join(row for [row] in await archive.sql("SELECT t::text FROM users t"))
    assert "Ann" not in told


async def test_who_is_erased_is_signed_out_and_cannot_sign_in(archive: Archive) -> None:
    """Under no name and with no password; name, looks and e-mail address are free for somebody else."""
    ann = await busy(archive, "Ann")
    await archive.stores.fill_looks(str.casefold)
    await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
    assert [] == await archive.sources(ann)
    assert await archive.stores.accounts.account_named("ann") is None
    left = await archive.stores.accounts.account_named("erased-1")
    assert left is not None
    assert left.banned
    assert not await Passwords(rounds=4).verify("a long enough secret", left.password_hash)
    again = replace(account("Ann"), look="ann")
    assert isinstance(await archive.stores.accounts.register(again), Registered)


async def test_what_comes_late_of_who_was_erased_has_no_source(archive: Archive) -> None:
    """No key is made anew, by this worker or by another that has not heard of it."""
    ann = await busy(archive, "Ann")
    async with open_stores(archive.postgres_url, archive.redis_url) as other:
        await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
        for stores in (archive.stores, other):
            await stores.audit.record([event(ord("x"), f"user:{ann}", HERE, ann)])
    assert [(None,)] == await archive.sql("SELECT source FROM audit_events WHERE event_id = $1", uuid_of(ord("x")))
    assert [(None,)] == await archive.sql("SELECT wrapped FROM user_keys")


async def test_a_worker_that_hears_of_it_forgets_the_key_that_it_holds(archive: Archive) -> None:
    """Until then it may still show what it knows; that it hears of it is announced with the act."""
    ann = await archive.player("Ann", "ann@example.org")
    async with open_stores(archive.postgres_url, archive.redis_url) as other:
        await other.audit.record([event(1, f"user:{ann}", HERE, ann)])
        await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
        assert HERE in [each.source for each in await other.audit.events()]
        for each in (await other.announcements.since(60)).announcements:
            if each.kind == USER_ERASED:
                other.erasure.forget(UserId(each.about))
        assert [GONE] == [each.source for each in await other.audit.events() if each.source != NOWHERE]


async def test_to_erase_twice_is_to_erase_once(archive: Archive) -> None:
    """A stranger is nobody to erase; a name that somebody has is refused, and nothing is changed."""
    ann, bob = await busy(archive, "Ann"), await busy(archive, "Bob")
    assert not await archive.stores.erasure.erase(UserId(uuid_of(4711)), "erased-1", HASH, ACT)
    with pytest.raises(StoreFault):
        await archive.stores.erasure.erase(ann, "bob", HASH, ACT)
    assert (await archive.email(ann)).startswith("Ann@")
    for _ in range(2):
        assert await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
    assert [(1,)] == await archive.sql("SELECT count(*) FROM audit_events WHERE what = 'USER_ERASED'")
    assert "Bob@example.org" == await archive.email(bob)


async def test_the_archive_shows_the_name_that_is_left(archive: Archive) -> None:
    """It never changes, and does not tell of who was erased."""
    ann, bob = await archive.player("Ann", "a@example.org"), await archive.player("Bob", "b@example.org")
    await archive.sql("UPDATE users SET avatar = 'https://x.example/y.png', country = 'GB'")
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    at_us = int((day + timedelta(hours=3)).timestamp()) * 1_000_000
    await archive.stores.scores.commit([write(ann, points=2), write(bob)])
    await archive.sql("UPDATE score_updates SET created_at = from_us($1), occurred_at = from_us($1)", at_us)
    span = Span(int(day.timestamp()) * 1_000_000, int((day + timedelta(days=1)).timestamp()) * 1_000_000, "that day")
    assert [span] == await archive.stores.archive.open(Period.DAILY, [span])
    assert await archive.stores.archive.close_next() is not None
    await archive.stores.erasure.erase(ann, "erased-1", HASH, ACT)
    for country in (None, "GB"):
        page = await archive.stores.archive.page(Period.DAILY, "that day", limit=9, country=country)
        assert page is not None
        assert [("erased-1", None), ("Bob", "https://x.example/y.png")] == [
            (row.username, row.avatar) for row in page.rows
        ]
