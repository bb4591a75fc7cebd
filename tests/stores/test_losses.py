"""What the adapters say when a connection, a server or a caller is lost in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
import trio.testing

from actors.ports import ALL_TIME, ChainId, Committed, CommitUnknown, Registered, StoreFault, StoreUnavailable, UserId
from scoreboard.stores.opening import Readiness, Stores
from scoreboard.stores.postgres_connections import Bounds
from scoreboard.stores.redis_events import RedisEventLog
from tests.contract.making import account, token_hash, write
from tests.stores.bounds import CUTTING, HASTY_AT_LOCKS, UNHURRIED
from tests.stores.proxy import Proxy, proxied
from tests.vault import open_stores

pytestmark = pytest.mark.stores
#: How long a call may take that ends by a bound of a second or two: the machine may be busy, but not for ever.
SOON_S = 30.0
SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Between:
    """Stores whose connections to both servers go through proxies. `pid` is the one session of Postgres."""

    stores: Stores
    postgres: Proxy
    redis: Proxy
    ann: UserId
    pid: int


@asynccontextmanager
async def between(postgres_url: str, redis_url: str, bounds: Bounds = UNHURRIED) -> AsyncIterator[Between]:
    """Everything warm: connected, statements prepared, one point scored."""
    with TemporaryDirectory() as short:
        target = postgres_url.partition("host=")[2] + "/" + SOCKET
        url = postgres_url.partition("host=")[0] + f"host={short}"
        redis_path = Path(short) / "redis"
        async with (
            proxied(target, Path(short) / SOCKET) as postgres,
            proxied(redis_url.removeprefix("unix://"), redis_path) as redis,
            open_stores(url, f"unix://{redis_path}", postgres_connections=1, bounds=bounds) as stores,
        ):
            registered = await stores.accounts.register(account("Ann"))
            assert isinstance(registered, Registered)
            ann = registered.fact.user_id
            await stores.scores.commit([write(ann)])
            await stores.events.append([registered.fact])
            pid = await stores.database.run(lambda connection: connection.fetchval("SELECT pg_backend_pid()"))
            yield Between(stores, postgres, redis, ann, pid)


async def score_of(stores: Stores) -> int:
    """The total of the only player."""
    [fact] = await stores.scores.members_after(None, 10)
    return fact.score


async def test_an_answer_lost_on_its_way_leaves_the_commit_unknown(postgres_url: str, redis_url: str) -> None:
    """It stands, here; asking again with the same arguments tells the outcome and adds nothing."""
    async with between(postgres_url, redis_url) as world:
        asked = write(world.ann, "key")
        world.postgres.lose_answer = True
        with pytest.raises(CommitUnknown):
            await world.stores.scores.commit([asked])
        [outcome] = await world.stores.scores.commit([asked])
        assert isinstance(outcome, Committed)
        assert (2, 2) == (outcome.fact.score, await score_of(world.stores))


async def test_a_request_lost_on_its_way_leaves_the_commit_unknown_too(postgres_url: str, redis_url: str) -> None:
    """From here both look the same; it does not stand, and asking again makes it stand."""
    async with between(postgres_url, redis_url) as world:
        asked = write(world.ann)
        world.postgres.lose_request = True
        with pytest.raises(CommitUnknown):
            await world.stores.scores.commit([asked])
        assert 1 == await score_of(world.stores)
        [outcome] = await world.stores.scores.commit([asked])
        assert isinstance(outcome, Committed)
        assert 2 == await score_of(world.stores)


async def test_a_session_ended_while_idle_costs_nothing(postgres_url: str, redis_url: str) -> None:
    """The pool takes another as soon as the driver has seen it; a call before that could not know."""
    async with between(postgres_url, redis_url) as world:
        seen = asyncio.Event()

        async def listen(connection: Any) -> None:
            connection.add_termination_listener(lambda _: seen.set())

        await world.stores.database.run(listen)
        os.kill(world.pid, signal.SIGTERM)
        with trio.fail_after(SOON_S):
            await world.stores.database.loop.run_aio_coroutine(seen.wait())
        [outcome] = await world.stores.scores.commit([write(world.ann)])
        assert isinstance(outcome, Committed)


async def test_a_row_locked_by_somebody_else_is_given_up_in_time(postgres_url: str, redis_url: str) -> None:
    """The server gives up first, so it is known that nothing happened."""
    async with (
        between(postgres_url, redis_url, HASTY_AT_LOCKS) as world,
        open_stores(postgres_url, redis_url, bounds=UNHURRIED) as other,
    ):
        locked, done = asyncio.Event(), asyncio.Event()

        async def lock(connection: Any) -> None:
            async with connection.transaction():
                await connection.execute("SELECT 1 FROM users FOR UPDATE")
                locked.set()
                await done.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(other.database.run, lock)
            await other.database.loop.run_aio_coroutine(locked.wait())
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await world.stores.scores.commit([write(world.ann)])
            other.database.loop.call_soon(done.set)
        assert 1 == await score_of(world.stores)


async def test_a_frozen_session_leaves_the_commit_unknown_within_the_bound(postgres_url: str, redis_url: str) -> None:
    """The machine behind it hangs: the caller gets its answer, and the next call a fresh session."""
    async with between(postgres_url, redis_url, replace(CUTTING, command_s=3)) as world:
        asked = write(world.ann)
        os.kill(world.pid, signal.SIGSTOP)
        try:
            with trio.fail_after(SOON_S), pytest.raises(CommitUnknown):
                await world.stores.scores.commit([asked])
        finally:
            os.kill(world.pid, signal.SIGCONT)
        [outcome] = await world.stores.scores.commit([asked])
        assert isinstance(outcome, Committed)
        assert 2 == await score_of(world.stores)


async def test_a_cancelled_commit_ends_in_time_and_harms_nobody(postgres_url: str, redis_url: str) -> None:
    """Even when the session does not react; asking again tells what became of it."""
    async with between(postgres_url, redis_url, CUTTING) as world:
        asked = write(world.ann)
        os.kill(world.pid, signal.SIGSTOP)
        try:
            with trio.fail_after(SOON_S), trio.move_on_after(0.1) as scope:
                await world.stores.scores.commit([asked])
            assert scope.cancelled_caught
        finally:
            os.kill(world.pid, signal.SIGCONT)
        [outcome] = await world.stores.scores.commit([asked])
        assert isinstance(outcome, Committed)
        assert 2 == await score_of(world.stores)


async def test_nobody_waits_for_a_connection_for_ever(postgres_url: str, redis_url: str) -> None:
    """When all are taken, the one too many hears that the store is not available."""
    async with between(postgres_url, redis_url, replace(UNHURRIED, acquire_s=1)) as world:
        taken, done = asyncio.Event(), asyncio.Event()

        async def keep(_connection: Any) -> None:
            taken.set()
            await done.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.stores.database.run, keep)
            await world.stores.database.loop.run_aio_coroutine(taken.wait())
            with trio.fail_after(SOON_S), pytest.raises(StoreUnavailable, match="no connection"):
                await world.stores.scores.commit([write(world.ann)])
            world.stores.database.loop.call_soon(done.set)
        assert 1 == await score_of(world.stores)


async def test_closing_is_bounded_when_postgres_is_frozen(postgres_url: str, redis_url: str) -> None:
    """What does not close is cut."""
    with trio.fail_after(SOON_S):
        async with between(postgres_url, redis_url, CUTTING) as world:
            os.kill(world.pid, signal.SIGSTOP)
    os.kill(world.pid, signal.SIGCONT)


async def test_a_call_that_postgres_rejects_is_a_fault(postgres_url: str, redis_url: str) -> None:
    """Waiting would not help; and nothing of the driver's leaks."""
    async with between(postgres_url, redis_url) as world:
        with pytest.raises(StoreFault):
            await world.stores.scores.commit([write(world.ann, points=-5)])
        with pytest.raises(StoreFault):
            await world.stores.scores.commit([write(world.ann, points=2**80)])
        assert 1 == await score_of(world.stores)


async def test_a_postgres_that_is_not_there_is_said_at_once(tmp_path: Path, redis_url: str) -> None:
    """With the reason, and not wrapped into a group."""
    with pytest.raises(StoreUnavailable, match="no connection to Postgres"):
        async with open_stores(f"postgresql://postgres@/x?host={tmp_path}", redis_url):
            pass


async def test_an_error_of_the_block_leaves_the_stores_as_it_is(postgres_url: str, redis_url: str) -> None:
    """Not wrapped into a group by the loop of the drivers."""
    with pytest.raises(ZeroDivisionError):
        async with open_stores(postgres_url, redis_url):
            raise ZeroDivisionError


async def test_a_stray_error_in_the_drivers_loop_ends_nothing(
    postgres_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; trio-asyncio by itself would end the loop."""

    def fail() -> None:
        raise ZeroDivisionError

    async with open_stores(postgres_url, redis_url) as stores:
        stores.database.loop.call_soon(fail)
        await trio.testing.wait_all_tasks_blocked()
        assert Readiness(postgres=True, redis=True) == await stores.ping()
    assert ["ERROR"] == [record.levelname for record in caplog.records if record.exc_info]


async def test_an_entry_whose_answer_was_lost_is_not_added_twice(postgres_url: str, redis_url: str) -> None:
    """The driver repeats nothing by itself; the next call gets a fresh connection."""
    async with between(postgres_url, redis_url) as world:
        [fact] = await world.stores.scores.members_after(None, 1)
        world.redis.lose_answer = True
        with pytest.raises(StoreUnavailable):
            await world.stores.events.append([fact])
        other = RedisEventLog(world.stores.redis, world.stores.redis, ChainId("another"))
        assert 2 == len((await other.read("0", 10)).entries)
        await world.stores.events.append([fact])
        assert 3 == len((await other.read("0", 10)).entries)


async def test_without_redis_the_rest_works(postgres_url: str, tmp_path: Path) -> None:
    """It is needed when it is used, not before; readiness tells."""
    async with open_stores(postgres_url, f"unix://{tmp_path}/nothing") as stores:
        assert Readiness(postgres=True, redis=False) == await stores.ping()
        await stores.accounts.register(account("Ann"))
        with pytest.raises(StoreUnavailable):
            await stores.cache.put(ALL_TIME, await stores.scores.members_after(None, 10))
        with pytest.raises(StoreUnavailable):
            await stores.cache.clear(ALL_TIME)
        assert await stores.accounts.account_named("nobody") is None


async def test_readiness_is_told_within_its_bound(postgres_url: str, redis_url: str) -> None:
    """A frozen store is one that does not answer."""
    async with between(postgres_url, redis_url, CUTTING) as world:
        os.kill(world.pid, signal.SIGSTOP)
        try:
            with trio.fail_after(SOON_S):
                assert Readiness(postgres=False, redis=True) == await world.stores.ping(within=2)
        finally:
            os.kill(world.pid, signal.SIGCONT)


async def test_the_event_log_is_bounded(postgres_url: str, redis_url: str) -> None:
    """About as long as asked: old entries go as new ones come."""
    async with open_stores(postgres_url, redis_url, event_log_length=100) as stores:
        for _ in range(400):
            await stores.events.append([])
        other = RedisEventLog(stores.redis, stores.redis, ChainId("another"))
        assert 250 > len((await other.read("0", 1000)).entries)


async def test_keys_in_redis_have_the_names_of_the_contract(postgres_url: str, redis_url: str) -> None:
    """Below the prefix of the settings."""
    async with open_stores(postgres_url, redis_url, prefix="{x}:") as stores:
        ann = account("Ann", user_id=str(token_hash(1).hex()[:32]))
        registered = await stores.accounts.register(ann)
        assert isinstance(registered, Registered)
        await stores.cache.put(ALL_TIME, [registered.fact])
        await stores.events.append([registered.fact])
        keys = await stores.redis.run(lambda client: client.keys("*"))
        names = {b"{x}:leaderboard:all_time", b"{x}:events", f"{{x}}:user:{registered.fact.user_id}".encode()}
        assert names == set(keys)


async def test_many_at_once_share_the_connections_that_are_allowed(postgres_url: str, redis_url: str) -> None:
    """As the settings say, for both stores; who finds all of them busy waits."""
    found: dict[str, set[int]] = {"postgres": set(), "redis": set()}
    async with (
        open_stores(postgres_url, redis_url, postgres_connections=2, redis_connections=2) as stores,
        trio.open_nursery() as nursery,
    ):

        async def ask_both() -> None:
            found["redis"].add(await stores.redis.run(lambda client: client.client_id()))
            found["postgres"].add(
                await stores.database.run(lambda connection: connection.fetchval("SELECT pg_backend_pid()"))
            )

        for _ in range(20):
            nursery.start_soon(ask_both)
    assert {"postgres": 2, "redis": 2} == {name: len(ids) for name, ids in found.items()}


@pytest.mark.parametrize("command_s", [0.1, 6, 600])
def test_the_server_gives_up_before_the_client_whatever_the_bound(command_s: float) -> None:
    """Otherwise every slow lock would leave a commit unknown."""
    bounds = Bounds(command_s=command_s)
    assert bounds.lock_s < bounds.statement_s < bounds.command_s


async def test_a_unit_of_work_leaves_no_timer_behind_for_long(postgres_url: str, redis_url: str) -> None:
    """The loop keeps a cancelled timer until it would have been due: one of minutes for each commit adds up."""
    async with open_stores(postgres_url, redis_url) as stores:
        loop = stores.database.loop
        far = []
        for _ in range(20):
            await stores.database.run(lambda connection: connection.fetchval("SELECT 1"))
            far.append(sum(timer.when() > loop.time() + 10 for timer in loop._timers))
        assert [far[0]] * 19 == far[1:]  # the first prepares its statement, which is kept for a while
