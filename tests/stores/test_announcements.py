"""Announcements in Postgres, where transactions end in another order than they began."""

from __future__ import annotations

import asyncpg
import pytest
import trio

from actors.ports import NewAccount, NewSession, SessionId, Source, UserId
from scoreboard.stores.opening import Stores
from tests.vault import open_stores

ANN = UserId("00000000-0000-4000-8000-000000000001")
SESSIONS = [SessionId(f"00000000-0000-4000-8000-00000000001{number}") for number in range(3)]
END = "UPDATE sessions SET revoked_at = clock_timestamp() WHERE session_id = $1"


async def signed_in(stores: Stores) -> None:
    """A player with three sessions."""
    await stores.accounts.register(NewAccount(ANN, "Ann", "ann", "a@example.org", "a@example.org", "hash"))
    for number, each in enumerate(SESSIONS):
        await stores.accounts.open_session(
            NewSession(each, ANN, bytes([number]), 1, 2_000_000_000_000_000, Source(None, None))
        )


async def told_since(stores: Stores, position: int) -> list[str]:
    """Whom the announcements since then are about."""
    return [each.about for each in (await stores.announcements.after(position)).announcements]


@pytest.mark.stores
async def test_what_commits_late_is_not_passed_over(postgres_url: str, redis_url: str) -> None:
    """A transaction that began first and ends last announces behind those that were read before it."""
    late, soon, _ = SESSIONS
    async with open_stores(postgres_url, redis_url) as stores:
        await signed_in(stores)
        begun, go_on = trio.Event(), trio.Event()

        async def end_late() -> None:
            async with stores.database.holding() as connection:
                await stores.database.use(connection.transaction().start)
                await stores.database.use(lambda: connection.execute(END, late))
                begun.set()
                await go_on.wait()
                await stores.database.use(lambda: connection.execute("COMMIT"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_late)
            await begun.wait()
            await stores.accounts.revoke_session(soon, now_us=1)
            news = await stores.announcements.since(3600)
            assert [soon] == [each.about for each in news.announcements]
            go_on.set()
        assert late in await told_since(stores, news.position)


async def change(stores: Stores, statement: str) -> None:
    """Whatever somebody does to the database."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(statement)

    await stores.database.run(work)


@pytest.mark.stores
@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("UPDATE users SET role = 'moderator'", 3),
        ("UPDATE users SET role = 'user'", 0),
        ("UPDATE users SET is_banned = true", 3),
        ("UPDATE users SET is_banned = false, is_flagged = true, score = 7", 0),
        ("DELETE FROM users", 3),
    ],
)
async def test_sessions_end_with_what_they_stood_for(
    statement: str, count: int, postgres_url: str, redis_url: str
) -> None:
    """Whoever changes it, by whatever way; what takes no right away ends none."""
    async with open_stores(postgres_url, redis_url) as stores:
        await signed_in(stores)
        await change(stores, statement)
        told = [each.about for each in (await stores.announcements.since(3600)).announcements]
        assert sorted(SESSIONS)[:count] == sorted(told)


@pytest.mark.stores
@pytest.mark.parametrize("wrong", ["- interval '26 hours'", "+ interval '26 hours'"])
async def test_who_starts_hears_of_what_was_announced_by_a_wrong_clock(
    wrong: str, postgres_url: str, redis_url: str
) -> None:
    """Or by a right one, before that of Postgres was ahead: its tokens are in time again when that is put right."""
    async with open_stores(postgres_url, redis_url) as stores:
        await signed_in(stores)
        await stores.accounts.revoke_session(SESSIONS[0], now_us=1)
        await change(stores, f"UPDATE announcements SET at = at {wrong}")
        assert [SESSIONS[0]] == [each.about for each in (await stores.announcements.since(3600)).announcements]


@pytest.mark.stores
async def test_announcements_go_when_no_token_can_live_any_more(postgres_url: str, redis_url: str) -> None:
    """With the hourly cleaning; those that matter stay."""
    async with open_stores(postgres_url, redis_url) as stores:
        await signed_in(stores)
        await change(stores, "UPDATE sessions SET revoked_at = clock_timestamp()")
        await change(stores, f"UPDATE announcements SET at = at - interval '32 days' WHERE about <> '{SESSIONS[0]}'")
        await stores.maintain()
        assert [SESSIONS[0]] == await told_since(stores, 0)
