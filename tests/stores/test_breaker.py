from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import trio
import trio_asyncio
from trio.testing import MockClock

from actors.ports import StoreError, StoreUnavailable
from scoreboard.stores.breaker import TOLD_AGAIN_S, Breaker
from scoreboard.stores.postgres_pool import Database
from tests.contract.making import write
from tests.stores.test_losses import SOON_S, between, score_of
from tests.stores_fixtures import StoreServers

GONE = StoreUnavailable("gone")


@dataclass
class Lane:
    """A store that is there or not, and who has asked it."""

    there: bool = True
    stuck: bool = False
    mistake: BaseException | None = None
    asked: list[float] = field(default_factory=list)

    async def probe(self) -> None:
        """For asyncio."""
        self.asked.append(asyncio.get_running_loop().time())
        if self.stuck:
            await asyncio.Event().wait()
        if self.mistake is not None:
            raise self.mistake
        if not self.there:
            raise GONE


@asynccontextmanager
async def breaking(lane: Lane) -> AsyncIterator[tuple[Breaker, Callable[[Callable[[], None]], Awaitable[None]]]]:
    """A breaker that probes every second, and what does something in its loop."""
    async with trio_asyncio.open_loop() as loop:
        breaker = Breaker("The store", lane.probe, within_s=3, losses=2, pause_s=1)

        async def do(what: Callable[[], None]) -> None:
            async def unit() -> None:
                what()

            await loop.run_aio_coroutine(unit())

        yield breaker, do
        await do(breaker.close)


async def test_one_loss_refuses_nobody(autojump_clock: MockClock) -> None:
    """Somebody ended a session; and an answer in between makes the next loss the first one again."""
    lane = Lane(there=False)
    async with breaking(lane) as (breaker, do):
        await do(lambda: breaker.lost(GONE))
        await do(breaker.answered)
        await do(lambda: breaker.lost(GONE))
        await do(breaker.check)
        await trio.sleep(5)
    assert [] == lane.asked
    assert not breaker.away


async def test_while_it_is_away_everybody_is_refused_at_once_and_one_task_asks(autojump_clock: MockClock) -> None:
    """Whatever else is lost meanwhile; the first answer lets all in again."""
    lane = Lane(there=False)
    async with breaking(lane) as (breaker, do):
        for _ in range(5):
            await do(lambda: breaker.lost(GONE))
        await trio.sleep(2.5)
        with pytest.raises(StoreUnavailable, match=r"The store has been away for 2\.5 s"):
            await do(breaker.check)
        lane.there = True
        await trio.sleep(1)
        await do(breaker.check)
        await do(lambda: breaker.lost(GONE))
        await do(breaker.check)
    assert [0.0, 1.0, 2.0, 3.0] == [round(at - lane.asked[0], 3) for at in lane.asked]
    assert "<Breaker, The store is there>" == repr(breaker)


async def test_a_store_that_swallows_what_it_is_asked_is_asked_again(autojump_clock: MockClock) -> None:
    """A probe has its bound, so that a way on which everything vanishes is tried anew."""
    lane = Lane(stuck=True)
    async with breaking(lane) as (breaker, do):
        for _ in range(2):
            await do(lambda: breaker.lost(GONE))
        await trio.sleep(2)
        lane.stuck = False
        with pytest.raises(StoreUnavailable):
            await do(breaker.check)
        await trio.sleep(2.5)
        await do(breaker.check)
    assert 2 == len(lane.asked)


@pytest.mark.parametrize("how", [LookupError, asyncio.CancelledError])
async def test_a_search_that_fails_in_a_way_nobody_thought_of_goes_on(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, how: type[BaseException]
) -> None:
    """Were that its end, the store would be away for ever, and whoever asks for it refused until a restart.

    So it is where what it waits for is cancelled by somebody else, who did not end the search.
    """
    lane = Lane(mistake=how("nobody thought of this"))
    async with breaking(lane) as (breaker, do):
        for _ in range(2):
            await do(lambda: breaker.lost(GONE))
        await trio.sleep(3.5)
        lane.mistake = None
        with pytest.raises(StoreUnavailable):
            await do(breaker.check)
        await trio.sleep(1)
        await do(breaker.check)
    assert 5 == len(lane.asked)
    [told] = [record for record in caplog.records if "nobody thought of this" in record.getMessage()]
    assert told.exc_info is not None


class Mute:
    """A connection whose server says nothing beside its answers."""

    def add_log_listener(self, _hear: object) -> None:
        """There is nothing to hear."""

    def remove_log_listener(self, _hear: object) -> None:
        """There was nothing."""


class OneConnection:
    """Connections that are always at hand."""

    async def take(self) -> Mute:
        """For asyncio."""
        return Mute()

    async def give_back(self, _connection: object, *, in_order: bool) -> None:
        """For asyncio."""


async def stuck(_connection: object) -> None:
    """Work of which nothing is ever heard. For asyncio."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(("patience_s", "away"), [(0.5, False), (1.5, True)])
async def test_a_store_of_which_nobody_hears_is_away_though_all_gave_up_waiting(
    autojump_clock: MockClock, patience_s: float, *, away: bool
) -> None:
    """Whoever asks waits less long than the driver does. Whoever goes soon, for another reason, says nothing of it."""
    connections: Any = OneConnection()
    lane = Lane(there=False)
    async with trio_asyncio.open_loop() as loop:
        breaker = Breaker("Postgres", lane.probe, pause_s=1)
        database = Database(loop, connections, breaker)
        for _ in range(2):
            with trio.move_on_after(patience_s):
                await database.run(stuck)
        assert away == breaker.away
        breaker.close()


async def lose(ask: Callable[[], Awaitable[Any]]) -> None:
    """Ask until the store is known to be away."""
    for _ in range(2):
        with pytest.raises(StoreError):
            await ask()
    with pytest.raises(StoreUnavailable, match="has been away"):
        await ask()


async def back(breaker: Breaker) -> None:
    """Wait until the store is found again."""
    with trio.fail_after(SOON_S):
        while breaker.away:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.02)


@pytest.mark.stores
async def test_a_postgres_that_is_away_is_not_asked_by_scores(postgres_url: str, redis_url: str) -> None:
    """They are refused before any connection is tried; when it is back the next one counts."""
    async with between(postgres_url, redis_url) as world:
        world.postgres.away = True
        await lose(lambda: world.stores.scores.commit([write(world.ann)]))
        world.postgres.away = False
        await back(world.stores.database.breaker)
        await world.stores.scores.commit([write(world.ann)])
        assert 2 == await score_of(world.stores)


@pytest.mark.stores
async def test_a_postgres_that_only_reads_is_left_for_the_one_that_writes(
    store_servers: StoreServers, postgres_url: str, redis_url: str
) -> None:
    """As after a failover, while sessions of the former primary are still there: they are replaced."""
    name = postgres_url.rpartition("/test_")[2].partition("?")[0]
    rule = f"ALTER DATABASE test_{name} SET default_transaction_read_only"
    async with between(postgres_url, redis_url) as world:
        store_servers.sql(f"{rule} = on")
        await world.stores.database.run(demote)
        await lose(lambda: world.stores.scores.commit([write(world.ann)]))
        store_servers.sql(f"{rule} = off")
        await back(world.stores.database.breaker)
        await world.stores.scores.commit([write(world.ann)])
        assert 2 == await score_of(world.stores)


async def demote(connection: Any) -> None:
    """Let this session only read from now on, as those of a server that became a replica."""
    await connection.execute("SET default_transaction_read_only = on")


@pytest.mark.stores
async def test_a_redis_that_is_away_or_only_reads_is_not_asked(postgres_url: str, redis_url: str) -> None:
    """Whoever wants to publish is refused at once, until it takes writes again."""
    async with between(postgres_url, redis_url) as world:
        [fact] = await world.stores.scores.members_after(None, 10)
        world.redis.away = True
        await lose(lambda: world.stores.events.append([fact]))
        world.redis.away = False
        await back(world.stores.redis.breaker)
        await world.stores.events.append([fact])
        await say(redis_url, b"REPLICAOF 127.0.0.1 1")
        await lose(lambda: world.stores.events.append([fact]))
        await say(redis_url, b"REPLICAOF NO ONE")
        await back(world.stores.redis.breaker)
        await world.stores.events.append([fact])


async def say(redis_url: str, command: bytes) -> None:
    """As the operator of that Redis does, who makes it a replica or a primary."""
    async with await trio.open_unix_socket(redis_url.removeprefix("unix://")) as stream:
        await stream.send_all(command + b"\r\n")
        assert (await stream.receive_some()).startswith(b"+OK")


@pytest.mark.parametrize(("why", "said"), [(GONE, "gone"), (TimeoutError(), "no answer in time")])
async def test_operators_are_told_why_a_store_is_taken_to_be_away(
    why: Exception, said: str, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    """Also where the driver has no words for it."""
    async with breaking(Lane(there=False)) as (breaker, do):
        for _ in range(2):
            await do(lambda: breaker.lost(why))
        assert [f"The store is away: {said}"] == caplog.messages


async def test_a_store_that_cannot_work_is_told_of_once_in_a_while(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    """Hundreds a second may hear of a full disk; nobody else says so in the log."""
    async with breaking(Lane()) as (breaker, do):
        for _ in range(3):
            await do(lambda: breaker.troubled(GONE))
        await trio.sleep(TOLD_AGAIN_S + 1)
        await do(lambda: breaker.troubled(GONE))
        assert (["The store cannot work: gone"] * 2, False) == (caplog.messages, breaker.away)


async def test_a_full_disk_is_told_to_operators_and_to_clients_as_a_refusal_for_now(
    store_servers: StoreServers, postgres_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is away: as soon as there is room it goes on."""
    async with between(postgres_url, redis_url) as there:

        async def work(_: Any) -> None:
            raise asyncpg.DiskFullError("could not extend file: No space left on device")

        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await there.stores.database.run(work)
        assert ["Postgres cannot work: could not extend file: No space left on device"] == caplog.messages
        await there.stores.scores.commit([write(there.ann)])
