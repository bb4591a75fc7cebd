"""A period that is over, in Postgres: opened, read before it is final, closed while scores go on, and read again."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import structlog
import trio

from actors.ports import ArchivePage, OperationId, Period, Span, UserId
from scoreboard.observe.loop_watch import LoopWatch
from scoreboard.stores.embedded_postgres import embedded_postgres
from scoreboard.stores.opening import Stores
from tests.bench import million
from tests.bench.statistics import percentile
from tests.contract.making import write
from tests.vault import open_stores

T = TypeVar("T")

NO_REDIS = "redis://127.0.0.1:1"
HOUR_US = 3_600_000_000
#: The period ended so long ago that it may be closed.
ENDED_US = HOUR_US
DAY_US = 24 * HOUR_US
FILL_WITHIN_S = 200.0
CALM_S = 3.0  # how long scores are written before the period is closed
PAGES = 30
ROWS = 10
# One gain of each player, spread evenly over a day, in the order in which they were made.
LEDGER = """
INSERT INTO score_updates (user_id, created_at, occurred_at, operation_id, action_type, score_increment, previous_score,
                           new_score, version)
SELECT user_id, moment, moment, user_id, 'INCREMENT', 1 + abs(hashtext(username)) % 1000, 0, 0, 1
FROM (SELECT user_id, username,
             from_us($1::bigint + $2::bigint * row_number() OVER (ORDER BY user_id) / (1 + count(*) OVER ())) AS moment
      FROM users) AS players ORDER BY moment
"""
NAIVE = """
SELECT user_id::text, sum(score_increment)::bigint AS gained FROM score_updates
WHERE occurred_at >= from_us($1) AND occurred_at < from_us($2)
GROUP BY user_id ORDER BY gained DESC, max(created_at), user_id OFFSET $3 LIMIT $4
"""
NOW = "SELECT to_us(clock_timestamp())"
SOMEBODY = "SELECT user_id::text FROM users LIMIT 1"


class WrongArchive(Exception):
    """The archive is not what the ledger says."""


def fill(data_dir: Path, players: int) -> Span:
    """Make a database in which each of so many players has gained something within a day; that day."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    trio.run(_migrate, data_dir)
    million.fill(data_dir, players)
    return trio.run(_gain, data_dir)


async def _migrate(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as url, open_stores(url, NO_REDIS):
        pass


async def _gain(data_dir: Path) -> Span:
    async with embedded_postgres(data_dir) as url, open_stores(url, NO_REDIS) as stores:
        end_us = await _value(stores, NOW) - ENDED_US
        span = Span(end_us - DAY_US, end_us, "")
        await _patient(stores, LEDGER, span.start_us, DAY_US)
        await _patient(stores, "VACUUM ANALYZE score_updates")
        await stores.maintain()
        return span


def measured(data_dir: Path, day: Span, players: int, number: int) -> dict[str, float]:
    """Archive the day once more, under another name. Raises WrongArchive."""
    turns: list[float] = []
    watch = LoopWatch(turns.append, structlog.get_logger(), warn_above_s=math.inf)
    span = Span(day.start_us + number, day.end_us, f"round {number}")
    return trio.run(_measured, data_dir, span, players, turns, instruments=[watch])


async def _measured(data_dir: Path, span: Span, players: int, turns: list[float]) -> dict[str, float]:
    async with embedded_postgres(data_dir) as url, open_stores(url, NO_REDIS) as stores:
        archiving = Archiving(stores, span, players)
        values = await archiving.opened()
        turns.clear()
        values |= await archiving.closed()
        return {**values, "close_turn_ms": max(turns) * 1000, **await archiving.read()}


@dataclass(slots=True)
class Archiving:
    """One period on its way into the archive."""

    stores: Stores
    span: Span
    players: int
    commits_ms: list[float] = field(default_factory=list)

    async def opened(self) -> dict[str, float]:
        """Claim it, and read it while it is computed from the ledger."""
        _, claim_s = await _timed(lambda: self.stores.archive.open(Period.DAILY, [self.span]))
        page, yet_s = await _timed(lambda: self._page(0))
        await self._require(page, 0)
        return {"claim_ms": claim_s * 1000, "yet_s": yet_s}

    async def closed(self) -> dict[str, float]:
        """Close it in the background of scores, which are written one by one; before that, the same scores alone."""
        player = UserId(await _value(self.stores, SOMEBODY))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._score, player)
            await trio.sleep(CALM_S)
            alone, self.commits_ms = sorted(self.commits_ms), []
            _, close_s = await _timed(self.stores.archive.close_next)
            nursery.cancel_scope.cancel()
        beside = sorted(self.commits_ms)
        return {
            "close_s": close_s,
            "commit_alone": percentile(alone, 50),
            "commit_beside": percentile(beside, 50),
            "commit_worst": beside[-1],
        }

    async def _score(self, player: UserId) -> None:
        while True:
            one = write(player, occurred_us=await _value(self.stores, NOW))
            one = one._replace(operation_id=OperationId(str(uuid4())), token_hash=uuid4().bytes * 2)
            _, seconds = await _timed(lambda each=one: self.stores.scores.commit([each]))  # type: ignore[misc]
            self.commits_ms.append(seconds * 1000)

    async def read(self) -> dict[str, float]:
        """Pages of what is final: the first, and any."""
        deep = [number * self.players // PAGES for number in range(PAGES)]
        first_s = [(await _timed(lambda: self._page(0)))[1] for _ in range(PAGES)]
        deep_s = [(await _timed(lambda at=offset: self._page(at)))[1] for offset in deep]  # type: ignore[misc]
        await self._require(await self._page(deep[-1]), deep[-1], final=True)
        return {"page_ms": percentile(sorted(first_s), 50) * 1000, "deep_ms": percentile(sorted(deep_s), 50) * 1000}

    async def _page(self, offset: int) -> ArchivePage | None:
        return await self.stores.archive.page(Period.DAILY, self.span.label, limit=ROWS, offset=offset)

    async def _require(self, page: ArchivePage | None, offset: int, *, final: bool = False) -> None:
        arguments = (self.span.start_us, self.span.end_us, offset, ROWS)
        rows = await _patient(self.stores, NAIVE, *arguments)
        naive = [(offset + n, *row) for n, row in enumerate(rows, 1)]
        told = [] if page is None else [(row.rank, row.user_id, row.score) for row in page.rows]
        if page is None or (page.of.final, page.total, told) != (final, self.players, naive):
            raise WrongArchive(f"{told} of {page and page.total} players, and not {naive} of {self.players}")


async def _timed(work: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    began = time.perf_counter()
    return await work(), time.perf_counter() - began


async def _patient(stores: Stores, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """What takes longer than the server lets any statement of the stores take."""

    async def work(connection: asyncpg.Connection) -> list[asyncpg.Record]:
        await connection.execute(f"SET statement_timeout = '{FILL_WITHIN_S:g}s'")
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments, timeout=FILL_WITHIN_S)
            return rows
        finally:
            await connection.execute("RESET statement_timeout")  # to that of the connection's beginning

    return await stores.database.run(work)


async def _value(stores: Stores, sql: str) -> Any:
    return await stores.database.run(lambda connection: connection.fetchval(sql))
