"""Two whole servers over the same stores: what is scored on one moves the boards and the screens of the other."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.stores.embedded_valkey import binary
from tests.live.feeds import Client
from tests.live.wire import handshake, text
from tests.server.test_two_workers import NOBODY, Worker, signed_up, two_workers

pytestmark = pytest.mark.stores
DAILY = "/api/v1/leaderboard/top?period=DAILY&limit=10"
TOP = "/api/v1/leaderboard/top?limit=10"


@pytest.fixture(params=["redis", "no redis"])
async def workers(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, redis_url: str
) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers, with Redis between them and without."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url if request.param == "redis" else NOBODY) as both:
        yield both


async def score(worker: Worker, player: dict[str, Any]) -> None:
    """One point."""
    token = await worker.post("/api/actions/token", token=player["accessToken"])
    await worker.post("/api/scores/increment", {"actionToken": token["actionToken"]}, player["accessToken"])


async def board(worker: Worker, path: str) -> list[tuple[str, int]]:
    """Names and scores as that worker shows them."""
    found = (await worker.http.get(path)).json()
    return [(row["username"], row["score"]) for row in found["data"]["leaderboard"]]


async def shows(worker: Worker, path: str, expected: list[tuple[str, int]]) -> None:
    """Wait until it does."""
    with trio.fail_after(20):
        while expected != await board(worker, path):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.02)


async def redis(url: str, *command: str) -> None:
    """One command of an operator."""
    line = [str(binary().with_name("valkey-cli")), "-s", url.removeprefix("unix://"), *command]
    await trio.run_process(line, stdout=subprocess.DEVNULL)


async def watch(worker: Worker, stream: trio.SocketStream, channel: str) -> Client:
    """A screen that shows this channel."""
    await stream.send_all(handshake())
    client = Client(stream)
    await client.handshake()
    await stream.send_all(text(f'{{"event":"subscribe","data":{{"channel":"{channel}"}}}}'))
    assert "leaderboard.update" == (await client.message())["event"]
    return client


async def test_a_score_here_moves_boards_and_screens_there(workers: tuple[Worker, Worker]) -> None:
    """Boards that were in memory already, of all time and of the day; and who watches them is told."""
    here, there = workers
    ada, bob = await signed_up(here, "Ada"), await signed_up(there, "Bob")
    for worker in workers:
        await shows(worker, TOP, [("Ada", 0), ("Bob", 0)])
        assert [] == await board(worker, DAILY)
    async with await trio.open_tcp_stream("127.0.0.1", there.port) as stream:
        screen = await watch(there, stream, "leaderboard.daily.top10")
        await score(here, ada)
        await score(here, bob)
        await score(there, bob)
        for worker in workers:
            await shows(worker, TOP, [("Bob", 2), ("Ada", 1)])
            await shows(worker, DAILY, [("Bob", 2), ("Ada", 1)])
        seen: dict[str, int] = {}
        with trio.fail_after(20):
            while {"Ada": 1, "Bob": 2} != seen:
                change = await screen.message()
                seen |= {row["username"]: row["score"] for row in change["data"].get("changes", ())}


@pytest.mark.parametrize(
    "trouble",
    [
        ("FLUSHALL",),
        ("DEL", "scoreboard:events"),
        ("CONFIG", "SET", "maxmemory", "1"),  # takes no more writes
        ("CLIENT", "PAUSE", "3000", "ALL"),
        ("CLIENT", "KILL", "TYPE", "normal"),
    ],
    ids=" ".join,
)
async def test_boards_are_level_whatever_befalls_redis(
    trouble: tuple[str, ...], tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Emptied, full, frozen or cut off: before, during and behind it scores of one move the boards of the other."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url) as (here, there):
        ada, bob = await signed_up(here, "Ada"), await signed_up(there, "Bob")
        for worker in (here, there):
            await shows(worker, TOP, [("Ada", 0), ("Bob", 0)])
        await score(here, ada)
        try:
            await redis(redis_url, *trouble)
            await score(there, bob)
            await score(here, bob)
            for worker in (here, there):
                await shows(worker, TOP, [("Bob", 2), ("Ada", 1)])
                await shows(worker, DAILY, [("Bob", 2), ("Ada", 1)])
        finally:
            await redis(redis_url, "CLIENT", "UNPAUSE")
            await redis(redis_url, "CONFIG", "SET", "maxmemory", "0")
        await score(here, ada)
        await score(there, ada)
        for worker in (here, there):
            await shows(worker, TOP, [("Ada", 3), ("Bob", 2)])
