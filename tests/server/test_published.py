"""What a server tells other workers of what it commits, from the score's request to the stream."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
import redis
import trio
import trio_asyncio

from scoreboard.observe.logs import make_logger
from scoreboard.server.compose import Server, serve
from tests.server.test_two_workers import Worker, settings, signed_up

SCORES = 3
EVENTS = "scoreboard:events"
COMMITTED = "SELECT chain, b.seq FROM audit_batches b JOIN audit_chains c USING (chain) WHERE c.kind = 'scores'"
pytestmark = pytest.mark.stores


async def test_each_batch_is_on_the_stream_by_its_number(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """Otherwise all others would read each of them from Postgres, late, and nobody would see why."""
    with redis.Redis.from_url(redis_url) as client:
        async with trio.open_nursery() as nursery:
            server: Server = await nursery.start(
                serve, settings(tmp_path / "data", postgres_url, redis_url), make_logger(level="error", style="json")
            )
            async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{server.port}") as http:
                await _scores(Worker(http, server.port))
            with trio.fail_after(30):
                while len(published := _published(client)) < SCORES:  # noqa: ASYNC110 - nobody tells
                    await trio.sleep(0.05)
            server.close()
    async with trio_asyncio.open_loop():
        assert await trio_asyncio.aio_as_trio(_committed)(postgres_url) == published


async def _scores(worker: Worker) -> None:
    """One after the other, so that each is a transaction of its own."""
    token = (await signed_up(worker, "Ada"))["accessToken"]
    for _ in range(SCORES):
        action = await worker.post("/api/actions/token", token=token)
        await worker.post("/api/scores/increment", {"actionToken": action["actionToken"]}, token)


def _published(client: redis.Redis) -> set[tuple[UUID, int]]:
    """Chain and number of each batch on the stream."""
    entries = [fields for _, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(EVENTS))]
    return {(UUID(each[b"w"].decode()), number) for each in entries for number in msgspec.msgpack.decode(each[b"n"])}


async def _committed(url: str) -> set[tuple[UUID, int]]:
    connection = await asyncpg.connect(url)
    try:
        return {(row["chain"], row["seq"]) for row in await connection.fetch(COMMITTED)}
    finally:
        await connection.close()
