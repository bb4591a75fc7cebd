"""Ways round the limits, tried on two whole servers over the same stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from scoreboard.observe.logs import make_logger
from scoreboard.server.compose import Server, serve
from scoreboard.settings_reader import load

NOBODY = "redis://127.0.0.1:1/0"
TOP = "/api/scores/top"
FEW = 6
pytestmark = pytest.mark.stores


@asynccontextmanager
async def two_servers(
    data: Path, postgres_url: str, redis_url: str, **more: object
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Clients of both."""
    stores = {"stores.postgres_url": postgres_url, "stores.redis_url": redis_url}
    limits = {"limits.requests_per_minute_per_address": FEW, "limits.sign_ins_per_minute_per_account": 4}
    given = {"data_dir": str(data), "door.port": 0, "passwords.rounds": 4, "logs.level": "error"}
    wanted = load({}, {**given, **stores, **limits, **more})
    log = make_logger(level="error", style="json")
    async with trio.open_nursery() as nursery:
        servers: list[Server] = [await nursery.start(serve, wanted, log) for _ in range(2)]
        urls = [f"http://127.0.0.1:{server.port}" for server in servers]
        async with (
            httpx.AsyncClient(trust_env=False, base_url=urls[0]) as one,
            httpx.AsyncClient(trust_env=False, base_url=urls[1]) as two,
        ):
            yield one, two
        for server in servers:
            server.close()


async def statuses(*clients: httpx.AsyncClient, headers: dict[str, str] | None = None) -> list[int]:
    """What each is answered, one after the other."""
    return [(await client.get(TOP, headers=headers)).status_code for client in clients]


async def test_going_to_the_other_server_gains_nothing(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """Nor does saying to be somebody else, on either of them."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url) as (one, two):
        assert [200] * FEW == await statuses(*[one, two] * (FEW // 2))
        assert [429, 429] == await statuses(one, two)
        spoofed = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "X-Real-IP": "198.51.100.7"}
        assert [429, 429] == await statuses(one, two, headers=spoofed)


async def test_behind_a_proxy_everybody_has_a_limit_of_one_s_own(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """By the address that the proxy saw, in whatever way a client prepends others; the /64 of one of IPv6."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url, **{"door.proxies": "127.0.0.1"}) as (one, two):
        for number in range(FEW):
            said = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.5"}
            assert [200] == await statuses((one, two)[number % 2], headers=said)
        assert [429, 429] == await statuses(one, two, headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.5"})
        for number in range(FEW):
            assert [200] == await statuses(one, headers={"X-Forwarded-For": f"2001:db8::{number}"})
        assert [429] == await statuses(two, headers={"X-Forwarded-For": "2001:db8::ffff"})


async def test_a_dead_redis_opens_nothing(tmp_path: Path, postgres_url: str) -> None:
    """Each server keeps its own window; of sign-ins both together allow no more than with Redis."""
    async with two_servers(tmp_path / "data", postgres_url, NOBODY, **{"limits.longest_wait_s": 0}) as (one, two):
        tried = []
        for client in (one, two, one, two):
            body = {"username": "Nobody", "password": "not the password"}
            tried.append((await client.post("/api/auth/login", json=body)).status_code)
        assert [401, 401, 429, 429] == tried
        assert [200] * (FEW - 2) + [429] == await statuses(*[one] * (FEW - 1))
        assert [200] * (FEW - 2) + [429] == await statuses(*[two] * (FEW - 1))
