"""A refresh token in two hands, with two servers over the same stores between them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.attacks.state import fingerprint, sql
from tests.server.test_two_workers import NOBODY, Worker, signed_up, two_workers

pytestmark = pytest.mark.stores
REFRESH = "/api/auth/refresh"
CLIENTS = 100
FREE = {"limits.enabled": False}


async def exchanged(worker: Worker, token: str) -> str:
    """The successor, or the code of the refusal."""
    answer = await worker.http.post(REFRESH, json={"refreshToken": token}, timeout=60)
    told: dict[str, Any] = answer.json()
    return str(told.get("refreshToken") or told["code"])


async def test_a_copy_used_at_once_on_both_servers_gets_one_successor(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """A hundred times within the grace: one family with one token more, whoever asks, and whatever Redis knows."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url, **FREE) as both:
        token, came = (await signed_up(both[0], "Ada"))["refreshToken"], Counter[str]()

        async def one(worker: Worker) -> None:
            came[await exchanged(worker, token)] += 1

        async with trio.open_nursery() as nursery:
            for number in range(CLIENTS):
                nursery.start_soon(one, both[number % 2])
        [(successor, times)] = came.items()
        assert (CLIENTS, "2\n") == (times, sql(postgres_url, "SELECT count(*) FROM refresh_tokens"))
        before = fingerprint(postgres_url)
        assert [successor, successor] == [await exchanged(worker, token) for worker in both]
        assert before == fingerprint(postgres_url)


@pytest.mark.parametrize("with_redis", ["redis", "no redis"])
async def test_a_copy_used_after_the_grace_ends_the_session_on_both_servers(
    with_redis: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """For the thief and for the owner, whichever server each of them asks; nothing more is written then."""
    redis, none = (redis_url if with_redis == "redis" else NOBODY), {**FREE, "tokens.refresh_grace_s": 0}
    async with two_workers(tmp_path / "data", postgres_url, redis, **none) as (here, there):
        ada, bob = await signed_up(here, "Ada"), await signed_up(there, "Bob")
        newest = await exchanged(here, ada["refreshToken"])
        assert "REFRESH_TOKEN_INVALID" == await exchanged(there, ada["refreshToken"])
        for worker in (here, there):
            assert "ACCESS_TOKEN_REVOKED" == await worker.refuses(ada["accessToken"])
        before = fingerprint(postgres_url)
        for worker in (here, there):
            assert ["REFRESH_TOKEN_INVALID"] * 2 == [
                await exchanged(worker, each) for each in (newest, ada["refreshToken"])
            ]
            assert "" == await worker.code(bob["accessToken"])
        assert before == fingerprint(postgres_url)
