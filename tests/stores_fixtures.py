"""Real stores for tests: one embedded Postgres and one Valkey a pytest process, and an empty database for each test."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import trio

from scoreboard.stores.embedded import embedded_postgres, embedded_valkey
from scoreboard.stores.embedded_postgres import DATABASE, binary
from scoreboard.stores.embedded_valkey import binary as valkey_binary
from tests.vault import open_stores

# Throw-away data, so that making and dropping databases is quick. What must survive a crash is tested with the real
# settings.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(slots=True)
class StoreServers:
    """Both servers. The database that they begin with is migrated and serves as the template of all others."""

    postgres: str
    redis: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def sql(self, statement: str) -> None:
        """Run one statement outside of the tests' databases."""
        url = self.postgres.replace(f"/{DATABASE}?", "/postgres?")
        command = [str(binary("psql")), url, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "-c", statement]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def fresh_database(self, template: str = DATABASE) -> tuple[str, str]:
        """Name and URL of a new database; migrated and empty, unless it is made of another template."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name, self.postgres.replace(f"/{DATABASE}?", f"/{name}?")


class ServersThread:
    """A thread with a Trio of its own that keeps the servers, since a session outlives each test's run of Trio."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._ready = threading.Event()
        self._stop: trio.Event | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._error: BaseException | None = None
        self.servers: StoreServers | None = None
        self._thread = threading.Thread(target=self._run, name="store servers", daemon=True)

    def start(self) -> StoreServers:
        """Start both and wait for them."""
        self._thread.start()
        self._ready.wait(timeout=60)
        if self.servers is None:
            raise RuntimeError("the embedded servers did not start") from self._error
        return self.servers

    def stop(self) -> None:
        """Stop both and wait for it."""
        if self._token is not None and self._stop is not None:
            self._token.run_sync_soon(self._stop.set)
        self._thread.join(timeout=15)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the tests
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._stop = trio.Event()
        async with embedded_postgres(self._data_dir, settings=HASTY) as postgres:
            async with embedded_valkey(self._data_dir, settings={"appendonly": "no"}) as redis:
                async with open_stores(postgres, redis):
                    pass  # migrates the template
                self.servers = StoreServers(postgres, redis)
                self._ready.set()
                await self._stop.wait()


@pytest.fixture(scope="session")
def store_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServers]:
    """Both embedded servers, started when the first test wants them."""
    thread = ServersThread(tmp_path_factory.mktemp("stores"))
    yield thread.start()
    thread.stop()


@pytest.fixture
def postgres_url(store_servers: StoreServers) -> Iterator[str]:
    """The URL of an empty database with all tables, for one test."""
    name, url = store_servers.fresh_database()
    yield url
    store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_url(store_servers: StoreServers) -> Iterator[str]:
    """The URL of a database without any table of ours, for one test."""
    name, url = store_servers.fresh_database(template="template0")
    yield url
    store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(store_servers: StoreServers) -> str:
    """The URL of an empty Valkey, for one test."""
    socket = store_servers.redis.removeprefix("unix://")
    client = valkey_binary().with_name("valkey-cli")
    subprocess.run([str(client), "-s", socket, "FLUSHALL"], check=True, capture_output=True, timeout=30)
    return store_servers.redis
