"""The sorted set of a period's board, which all workers copy that hold that board."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from actors.leaderboard import mirror
from actors.leaderboard.mirror import Mirror
from actors.leaderboard.ranking import Ranking
from actors.ports import SHOWN_S, BoardId, BoardPart, ScoreFact, Span, UserId
from scoreboard.stores.opening import Stores
from tests.vault import open_stores

WEEKLY = BoardId("weekly")
SPAN = Span(0, 2**52, "this week")
ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")


class Worker:
    """As much of one as shows a board."""

    def __init__(self, stores: Stores, **scores: int) -> None:
        self.stores, self.ranking = stores, Ranking()
        for name, score in scores.items():
            self.ranking.put(ScoreFact(UserId(name), name, score, score, score))
        self.mirror = Mirror(WEEKLY, self.ranking, SPAN)

    def gains(self, user_id: UserId, score: int) -> None:
        """What was committed, here or by another worker."""
        self.ranking.put(ScoreFact(user_id, user_id, score, score, score))
        self.mirror.changed(user_id)

    async def show(self) -> None:
        """All that its copy lacks."""
        while self.mirror.behind:
            await self.stores.cache.show(self.mirror.next())

    async def read(self) -> dict[UserId, int]:
        """What others find."""
        return dict(await self.stores.cache.top(WEEKLY, 10))


@asynccontextmanager
async def two(postgres_url: str, redis_url: str, **scores: int) -> AsyncIterator[tuple[Worker, Worker]]:
    """Both hold the board."""
    async with open_stores(postgres_url, redis_url) as one, open_stores(postgres_url, redis_url) as other:
        yield Worker(one, **scores), Worker(other, **scores)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few players are several pieces."""
    monkeypatch.setattr(mirror, "PIECE", 2)


async def test_two_workers_copy_a_board_at_once(postgres_url: str, redis_url: str) -> None:
    """Piece by piece in turns; what one has heard in between is in the copy of neither lost, and nobody is missing."""
    async with two(postgres_url, redis_url, ann=1, bob=2, eve=3) as (one, other):
        await one.show()
        for worker in (one, other):
            worker.mirror.again()
            await worker.stores.cache.show(worker.mirror.next())
        one.gains(ANN, 9)
        await one.show()
        assert {ANN: 9, BOB: 2, EVE: 3} == await one.read()
        other.gains(ANN, 9)
        await other.show()
        assert {ANN: 9, BOB: 2, EVE: 3} == await one.read()


async def test_the_set_of_a_board_stays_while_anybody_shows_it(postgres_url: str, redis_url: str) -> None:
    """Each time somebody does it is kept for so long again, and no longer than the period; then it goes by itself."""
    async with two(postgres_url, redis_url, ann=1) as (one, other):
        for worker in (one, other):
            await worker.show()
            assert 0 < await shown_for(worker.stores) <= SHOWN_S
        await worker.stores.redis.run(lambda client: client.pexpire(f"leaderboard:{WEEKLY}", 1000))
        other.gains(ANN, 2)
        await other.show()
        assert 1 < await shown_for(other.stores) <= SHOWN_S
        await other.stores.cache.show(BoardPart(WEEKLY, {}, (BOB,), until_us=1000))
        assert {} == await other.read()


async def shown_for(stores: Stores) -> float:
    """For how long it is kept, in seconds."""
    left_ms: int = await stores.redis.run(lambda client: client.pttl(f"leaderboard:{WEEKLY}"))
    return left_ms / 1000


@pytest.mark.parametrize("pieces", [0, 1])
async def test_what_redis_loses_is_there_again_when_all_have_been_copied(
    postgres_url: str, redis_url: str, pieces: int
) -> None:
    """Also if it loses it in the middle: the rest of such a copy is never taken for the whole."""
    async with two(postgres_url, redis_url, ann=1, bob=2, eve=3) as (one, _):
        await one.show()
        one.mirror.again()
        for _ in range(pieces):
            await one.stores.cache.show(one.mirror.next())
        await one.stores.redis.run(Redis.flushall)
        one.gains(ANN, 4)
        await one.show()
        if pieces:
            assert {ANN: 4, EVE: 3} == await one.read()
            one.mirror.again()
            await one.show()
        assert {ANN: 4, BOB: 2, EVE: 3} == await one.read()
