"""Two whole servers over the same stores: what one of them ends is over on the other."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from click.testing import CliRunner

from scoreboard.__main__ import main
from scoreboard.observe.logs import make_logger
from scoreboard.server.compose import Server, serve
from scoreboard.settings import Settings
from scoreboard.settings_reader import SettingsError, load
from tests.live.feeds import Client
from tests.live.wire import handshake, text
from tests.vault import open_stores

NOBODY = "redis://127.0.0.1:1/0"
PASSWORD = "a long enough secret"
SUBSCRIBE = text('{"event":"subscribe","data":{"channel":"player.me"}}')
#: Less than `look_s` where there is Redis: nobody waits for the look.
HEARD_S = 20
pytestmark = pytest.mark.stores


@dataclass
class Worker:
    """One of the servers, as its clients see it."""

    http: httpx.AsyncClient
    port: int
    places: list[str] = field(default_factory=list)  # for an operator's verbs

    async def post(self, path: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
        """What is answered, which must be a success."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def code(self, token: str) -> str:
        """Why a token is refused, or nothing."""
        answer = await self.http.get("/api/v1/users/me", headers={"authorization": f"Bearer {token}"})
        error = {} if answer.is_success else answer.json()["error"]
        return str(error.get("details", {}).get("reason", error.get("code", "")))

    async def refuses(self, token: str) -> str:
        """Wait until it does; why."""
        with trio.fail_after(HEARD_S):
            while not (code := await self.code(token)):  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.05)
        return code

    @asynccontextmanager
    async def watching(self, token: str) -> AsyncIterator[Client]:
        """A live connection of that player."""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            await stream.send_all(handshake(authorization=f"Bearer {token}"))
            client = Client(stream)
            await client.handshake()
            await stream.send_all(SUBSCRIBE)
            assert "player.update" == (await client.message())["event"]
            yield client


def settings(data: Path, postgres_url: str, redis_url: str, **more: object) -> Settings:
    """Short ways to hear of each other: through Redis at once, or through Postgres soon."""
    return load(
        {},
        {
            "data_dir": str(data),
            "door.port": 0,
            "stores.postgres_url": postgres_url,
            "stores.redis_url": redis_url,
            "sessions.listen_s": 0.05,
            "sessions.look_s": 25.0 if redis_url != NOBODY else 0.2,
            "passwords.rounds": 4,
            "limits.enabled": False,
            "logs.level": "error",
            **more,
        },
    )


@asynccontextmanager
async def two_workers(
    data: Path, postgres_url: str, redis_url: str, **more: object
) -> AsyncIterator[tuple[Worker, Worker]]:
    """Run both with one data directory; `more` are other settings than usual."""
    wanted = settings(data, postgres_url, redis_url, **more)
    places = ["--data", str(data), "--postgres", postgres_url, "--redis", redis_url]
    log = make_logger(level="error", style="json")
    async with trio.open_nursery() as nursery:
        servers: list[Server] = [await nursery.start(serve, wanted, log) for _ in range(2)]
        async with httpx.AsyncClient(trust_env=False) as one, httpx.AsyncClient(trust_env=False) as two:
            workers = []
            for http, server in zip((one, two), servers, strict=True):
                http.base_url = httpx.URL(f"http://127.0.0.1:{server.port}")
                workers.append(Worker(http, server.port, places))
            yield workers[0], workers[1]
        for server in servers:
            server.close()


@pytest.fixture(params=["redis", "no redis"])
async def workers(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, redis_url: str
) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers, with Redis between them and without."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url if request.param == "redis" else NOBODY) as both:
        yield both


async def signed_up(worker: Worker, name: str) -> dict[str, Any]:
    """A new player with a session."""
    return await worker.post(
        "/api/auth/register", {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    )


async def test_a_logout_here_ends_the_session_there(workers: tuple[Worker, Worker]) -> None:
    """Its access token is refused and its live connection closed; another session of the same player goes on."""
    here, there = workers
    ada = await signed_up(here, "Ada")
    token = ada["accessToken"]
    other = await there.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
    assert "" == await there.code(token)
    async with there.watching(token) as live, there.watching(other["accessToken"]) as spared:
        await here.post("/api/auth/logout", token=token)
        with trio.fail_after(HEARD_S):
            assert 4001 == await live.closed()
        assert "ACCESS_TOKEN_REVOKED" == await there.refuses(token)
        assert "" == await there.code(other["accessToken"])
        await spared.leave()


async def test_a_refresh_token_used_twice_ends_its_family_everywhere(workers: tuple[Worker, Worker]) -> None:
    """Whoever of the two copied it, both are out."""
    here, there = workers
    ada = await signed_up(here, "Ada")
    first = {"refreshToken": ada["refreshToken"]}
    second = {"refreshToken": (await here.post("/api/auth/refresh", first))["refreshToken"]}
    third = await here.post("/api/auth/refresh", second)
    assert "" == await there.code(third["accessToken"])
    assert 401 == (await here.http.post("/api/auth/refresh", json=first)).status_code
    assert "ACCESS_TOKEN_REVOKED" == await there.refuses(third["accessToken"])


async def test_another_password_here_ends_other_sessions_there(workers: tuple[Worker, Worker]) -> None:
    """The one that changed it goes on, on both."""
    here, there = workers
    ada = await signed_up(here, "Ada")
    other = await there.post("/api/auth/login", {"username": "Ada", "password": PASSWORD})
    change = {"currentPassword": PASSWORD, "newPassword": "quite another secret"}
    async with there.watching(other["accessToken"]) as live:
        assert {"ended": 1} == (await here.post("/api/v1/auth/password", change, ada["accessToken"]))["data"]
        with trio.fail_after(HEARD_S):
            assert 4001 == await live.closed()
    assert "ACCESS_TOKEN_REVOKED" == await there.refuses(other["accessToken"])
    assert ["", ""] == [await worker.code(ada["accessToken"]) for worker in workers]


async def test_an_act_of_who_is_in_charge_here_is_felt_there(workers: tuple[Worker, Worker]) -> None:
    """An operator makes an admin, who makes a moderator, who bans: each time the sessions of before are over."""
    here, there = workers
    people = {name: await signed_up(here, name) for name in ("Ada", "Mod", "Chief")}
    command = ["user", "role", "Chief", "admin", *here.places]
    told = await trio.to_thread.run_sync(partial(CliRunner().invoke, main, command))
    assert (0, "Chief is admin now\n") == (told.exit_code, told.stdout)
    assert (NOBODY in here.places) == ("Redis does not answer, so running workers hear of it" in told.stderr)
    await here.refuses(people["Chief"]["accessToken"])

    async def act(of: str, on: str, path: str, body: dict[str, Any]) -> None:
        token = (await here.post("/api/auth/login", {"username": of, "password": PASSWORD}))["accessToken"]
        async with there.watching(people[on]["accessToken"]) as live:
            await here.post(f"/api/v1/admin/users/{people[on]['userId']}/{path}", {**body, "reason": "because"}, token)
            with trio.fail_after(HEARD_S):
                assert 4001 == await live.closed()

    await act("Chief", "Mod", "role", {"role": "moderator"})
    await act("Mod", "Ada", "standing", {"banned": True})
    refused = await there.http.post("/api/auth/login", json={"username": "Ada", "password": PASSWORD})
    assert (403, "USER_BANNED") == (refused.status_code, refused.json()["code"])


@pytest.mark.parametrize("change", ["is_banned = true", "role = 'moderator'"])
async def test_whoever_is_changed_in_the_database_signs_in_anew_everywhere(
    change: str, tmp_path: Path, postgres_url: str
) -> None:
    """By a statement of an operator, of whom no worker hears otherwise."""
    async with two_workers(tmp_path / "data", postgres_url, NOBODY) as (here, there):
        ada = await signed_up(here, "Ada")
        async with here.watching(ada["accessToken"]) as live, open_stores(postgres_url, NOBODY) as stores:
            await stores.database.run(lambda connection: connection.execute(f"UPDATE users SET {change}"))
            with trio.fail_after(HEARD_S):
                assert 4001 == await live.closed()
            for worker in (here, there):
                assert "ACCESS_TOKEN_REVOKED" == await worker.refuses(ada["accessToken"])


async def test_who_is_erased_is_gone_from_every_worker(workers: tuple[Worker, Worker]) -> None:
    """By an operator's verb beside them: signed out, off the boards, forgotten by all who held the key."""
    here, there = workers
    ada, bob = await signed_up(here, "Ada"), await signed_up(there, "Bob")
    assert "Ada" in (await here.http.get("/api/scores/top")).text
    places = here.places
    told = await trio.to_thread.run_sync(partial(CliRunner().invoke, main, ["user", "erase", "Ada", "--yes", *places]))
    assert (0, True) == (told.exit_code, "Ada is erased" in told.output), told.output
    for worker in workers:
        assert "ACCESS_TOKEN_REVOKED" == await worker.refuses(ada["accessToken"])
        with trio.fail_after(HEARD_S):
            while "Ada" in (rows := (await worker.http.get("/api/scores/top")).text):  # noqa: ASYNC110 - as above
                await trio.sleep(0.05)
        assert "erased" not in rows
    again = await here.http.post("/api/auth/login", json={"username": "Ada", "password": PASSWORD})
    assert 401 == again.status_code
    assert "" == await there.code(bob["accessToken"])
    assert "" == await here.code((await signed_up(here, "Ada"))["accessToken"])
    none = await trio.to_thread.run_sync(partial(CliRunner().invoke, main, ["user", "erase", "Nobody", *places]))
    assert (1, True) == (none.exit_code, "there is no player 'Nobody'" in none.output)
    asked = ["user", "erase", "Bob", *places]
    kept = await trio.to_thread.run_sync(partial(CliRunner().invoke, main, asked, input="n\n"))
    assert (1, "") == (kept.exit_code, await there.code(bob["accessToken"]))


async def test_a_server_that_starts_knows_who_was_signed_out(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    """Before it answers anybody."""
    async with two_workers(tmp_path / "data", postgres_url, redis_url) as (here, _):
        token = (await signed_up(here, "Ada"))["accessToken"]
        await here.post("/api/auth/logout", token=token)
    async with two_workers(tmp_path / "data", postgres_url, NOBODY) as (here, there):
        assert "ACCESS_TOKEN_REVOKED" == await here.code(token) == await there.code(token)


@pytest.mark.parametrize(("name", "most"), [("listen_s", 2), ("look_s", 25)])
def test_the_settings_bound_how_long_others_wait(name: str, most: float) -> None:
    """Two seconds through Redis and thirty without it, whatever an operator chooses."""
    load({}, {f"sessions.{name}": most})
    with pytest.raises(SettingsError):
        load({}, {f"sessions.{name}": math.nextafter(most, math.inf)})
