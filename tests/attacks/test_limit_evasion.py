"""Ways round the limits, tried on two whole servers over the same stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import trio
from redis import Redis

from actors.ledger.messages import ChangeStanding
from actors.ports import Act, EventId, EventKind, Quota, StandingChange, UserId
from scoreboard.observe.logs import make_logger
from scoreboard.server.compose import Server, serve
from scoreboard.server.limited import marked
from scoreboard.settings_reader import load
from tests.attacks.state import fingerprint, sql

NOBODY = "redis://127.0.0.1:1/0"
TOP, TOKEN, INCREMENT = "/api/scores/top", "/api/actions/token", "/api/scores/increment"
PASSWORD = "a long enough secret"
FEW, TRIES = 6, 4
HOME = "198.51.100.7"
PLENTY = 1000
FOREVER_US = 4_000_000_000_000_000
pytestmark = pytest.mark.stores


@dataclass
class One:
    """One of the servers, as its clients see it."""

    http: httpx.AsyncClient
    server: Server
    key: bytes

    async def statuses(self, times: int, *, headers: dict[str, str] | None = None) -> list[int]:
        """What so many requests are answered, one after the other."""
        return [(await self.http.get(TOP, headers=headers)).status_code for _ in range(times)]

    async def tries(self, name: str, client: str = "203.0.113.9", password: str = "not the password") -> int:
        """What a password is answered, a wrong one if none is named."""
        body, said = {"username": name, "password": password}, {"X-Forwarded-For": client}
        return (await self.http.post("/api/auth/login", json=body, headers=said)).status_code

    async def registers(self, name: str) -> httpx.Response:
        """The answer to who wants an account."""
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        return await self.http.post("/api/auth/register", json=body)

    async def wins(self, bearer: dict[str, str]) -> int:
        """What a token and its increment are answered; the first that is no success."""
        token = await self.http.post(TOKEN, headers=bearer)
        if not token.is_success:
            return token.status_code
        return (
            await self.http.post(INCREMENT, headers=bearer, json={"actionToken": token.json()["actionToken"]})
        ).status_code

    async def heard_of(self, used: int) -> None:
        """Wait until it knows that these tests have sent so many requests, to whomever."""
        key, quota = f"address:{marked(self.key, '127.0.0.1')}", Quota(PLENTY)
        with trio.fail_after(10):
            while self.server.core.limits.requests.look(key, quota).remaining > PLENTY - used:  # noqa: ASYNC110
                await trio.sleep(0.01)

    async def knows(self, site: str, account: str) -> None:
        """Wait until it has heard that somebody signed in there."""
        with trio.fail_after(10):
            while self.server.familiar.known(site, account) is None:  # noqa: ASYNC110
                await trio.sleep(0.01)

    async def told(self, redis_url: str) -> None:
        """Wait until it has told the other of them."""
        name = f"scoreboard:rate-limit:address:{marked(self.key, '127.0.0.1')}"
        with trio.fail_after(10), Redis.from_url(redis_url) as redis:
            while redis.hget(name, "exceeded") != b"1":  # noqa: ASYNC110
                await trio.sleep(0.01)


@dataclass
class Two:
    """Both, and their database."""

    one: One
    two: One
    postgres_url: str

    async def sql(self, statement: str) -> str:
        """What the database says."""
        return (await trio.to_thread.run_sync(sql, self.postgres_url, statement)).strip()

    async def state(self) -> dict[str, str]:
        """All that is in the database, but for the audit of refusals, which is meant to grow."""
        return await trio.to_thread.run_sync(fingerprint, self.postgres_url)


@asynccontextmanager
async def two_servers(data: Path, postgres_url: str, redis_url: str, **more: object) -> AsyncIterator[Two]:
    """Run both with one data directory and low limits, unless `more` says otherwise."""
    stores = {"stores.postgres_url": postgres_url, "stores.redis_url": redis_url, "fraud.enabled": False}
    limits = {"limits.requests_per_minute_per_address": FEW, "limits.sign_ins_per_minute_per_account": TRIES}
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
            key = bytes.fromhex((data / "keys" / "refresh.key").read_text())
            yield Two(One(one, servers[0], key), One(two, servers[1], key), postgres_url)
        for server in servers:
            server.close()


def behind_proxy(**more: object) -> dict[str, Any]:
    """Settings under which these tests may say who a client is."""
    return {"door.proxies": "127.0.0.1", "limits.requests_per_minute_per_address": PLENTY, **more}


async def test_going_to_the_other_server_gains_nothing(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """But for what it allows before it has heard of the first: one, if one comes after the other."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url) as both:
        before = await both.state()
        assert [200] * FEW + [429] == await both.one.statuses(FEW + 1)
        await both.one.told(redis_url)
        assert [200] == await both.two.statuses(1)
        await both.two.heard_of(FEW + 1)
        assert [429] * 3 == await both.two.statuses(3)
        assert [429] * 3 == await both.one.statuses(3)
        assert before == await both.state()


async def test_saying_to_be_somebody_else_gains_nothing(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """In no header, where no proxy of ours stands."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url) as both:
        before, told = await both.state(), []
        for number in range(FEW + 3):
            address = f"198.51.100.{number}"
            said = {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Real-IP": address, "Via": address}
            told += await both.one.statuses(1, headers=said)
        assert [200] * FEW + [429] * 3 == told
        assert before == await both.state()


async def test_behind_a_proxy_everybody_has_a_limit_of_one_s_own(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """By the address that the proxy saw, in whatever way a client prepends others; the /64 of one of IPv6."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url, **{"door.proxies": "127.0.0.1"}) as both:
        before, one = await both.state(), both.one
        for number in range(FEW):
            assert [200] == await one.statuses(1, headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.5"})
        assert [429] == await one.statuses(1, headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.5"})
        for number in range(FEW):
            assert [200] == await one.statuses(1, headers={"X-Forwarded-For": f"2001:db8:0:7:{number:x}::1"})
        assert [429] == await one.statuses(1, headers={"X-Forwarded-For": "2001:db8:0:7:ffff::ffff"})
        assert [200] == await one.statuses(1, headers={"X-Forwarded-For": "2001:db8:0:8::1"})
        assert before == await both.state()


async def test_an_account_is_tried_so_often_only_on_both_together(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Exactly, from whatever address, whether it exists or not; then the right password opens nothing either."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url, **behind_proxy()) as both:
        assert 201 == (await both.one.registers("Ada")).status_code
        before = await both.sql("SELECT count(*) FROM sessions")
        for name in ("Ada", "Nobody"):
            told = [await (both.one, both.two)[n % 2].tries(name, f"203.0.113.{n}") for n in range(TRIES + 2)]
            assert [401] * TRIES + [429] * 2 == told
        right = {"username": "Ada", "password": PASSWORD}
        assert 429 == (await both.two.http.post("/api/auth/login", json=right)).status_code
        assert before == await both.sql("SELECT count(*) FROM sessions")


async def test_guesses_from_elsewhere_do_not_keep_a_player_out(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Where that account signed in before, on whichever server, it is counted apart; no header says to be there."""
    async with two_servers(tmp_path / "data", postgres_url, redis_url, **behind_proxy()) as both:
        assert 201 == (await both.one.registers("Ada")).status_code
        assert 200 == await both.one.tries("Ada", HOME, PASSWORD)
        await both.two.knows(HOME, "ada")
        told = [await (both.one, both.two)[n % 2].tries("Ada", f"203.0.113.{n}") for n in range(TRIES + 2)]
        assert [401] * (TRIES - 1) + [429] * 3 == told  # her own first one is one of them
        for elsewhere in ("203.0.113.99", f"{HOME}, 203.0.113.99", f"{HOME},{HOME}, 203.0.113.99"):
            assert 429 == await both.two.tries("Ada", elsewhere, PASSWORD)
        assert [401] * (TRIES - 1) == [await both.two.tries("Ada", HOME) for _ in range(TRIES - 1)]
        assert 200 == await both.two.tries("Ada", HOME, PASSWORD)
        assert [429] * 2 == [await each.tries("Ada", HOME, PASSWORD) for each in (both.two, both.one)]


async def test_an_address_makes_so_many_accounts_only_on_both_together(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Exactly."""
    few = {"limits.registrations_per_minute_per_address": 3}
    async with two_servers(tmp_path / "data", postgres_url, redis_url, **behind_proxy(**few)) as both:
        told = [(await (both.one, both.two)[n % 2].registers(f"Player{n}")).status_code for n in range(5)]
        assert ([201] * 3 + [429] * 2, "3") == (told, await both.sql("SELECT count(*) FROM users"))


async def test_a_dead_redis_opens_nothing(tmp_path: Path, postgres_url: str) -> None:
    """Each server keeps its own window; of sign-ins both together allow no more than with Redis."""
    async with two_servers(tmp_path / "data", postgres_url, NOBODY, **{"limits.longest_wait_s": 0}) as both:
        before = await both.state()
        tried = [await each.tries("Nobody") for each in (both.one, both.two) * 2]
        assert [401, 401, 429, 429] == tried
        for each in (both.one, both.two):
            assert [200] * (FEW - 2) + [429] == await each.statuses(FEW - 1)
        assert before == await both.state()


@pytest.mark.parametrize("alive", [True, False])
async def test_a_restricted_player_scores_once_a_minute(
    tmp_path: Path, postgres_url: str, redis_url: str, *, alive: bool
) -> None:
    """Felt at once where it was imposed, also without Redis; what is refused does not count."""
    url = redis_url if alive else NOBODY
    async with two_servers(tmp_path / "data", postgres_url, url, **behind_proxy()) as both:
        ada = (await both.one.registers("Ada")).json()
        bearer = {"Authorization": f"Bearer {ada['accessToken']}"}
        assert 200 == await both.one.wins(bearer)
        await restrict(both.one, UserId(ada["userId"]))
        before = await both.state()
        assert [429] * 3 == [await both.one.wins(bearer) for _ in range(3)]
        assert before == await both.state()


async def restrict(one: One, user_id: UserId) -> None:
    """As who is in charge would, on that server."""
    act = Act(EventId(str(uuid4())), 0, EventKind.ACT, "operator", "too quick")
    asked = ChangeStanding(user_id, StandingChange(restricted_until_us=FOREVER_US), act)
    await one.server.core.standing.ask(asked, within=10)
