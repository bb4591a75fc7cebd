"""Nothing goes through to a store, in either direction, and nobody is told: the server in between."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import psutil
import pytest

from scoreboard.stores.embedded_postgres import binary
from tests.proxied_stores import ProxiedStores, proxied_stores
from tests.served import Player, ServedScoreboard, served, wait_for
from tests.stores_fixtures import StoreServers

pytestmark = pytest.mark.stores

COMMAND_S, CONNECT_S = 4.0, 2.0
#: Nobody waits longer than this, who asks while nothing goes through. A driver by itself would do so for ever.
BUDGET_S = 20.0
#: Far less than any wait for a store.
AT_ONCE_S = 1.0
QUICK = {
    "SCOREBOARD_STORES_COMMAND_WITHIN_S": str(COMMAND_S),
    "SCOREBOARD_STORES_CONNECT_WITHIN_S": str(CONNECT_S),
    "SCOREBOARD_BOARD_TICK_S": "0.05",
}


@dataclass(frozen=True)
class Between:
    """A server between proxies, and what it had open when nobody asked anything of it."""

    server: ServedScoreboard
    stores: ProxiedStores
    files: int
    sessions: int

    def open_files(self) -> int:
        """Descriptors of the server."""
        assert self.server.process is not None
        return int(psutil.Process(self.server.process.pid).num_fds())

    def said(self, sentence: str) -> int:
        """How often the log says so."""
        return self.server.log.read_text().count(sentence)

    def settled(self) -> bool:
        """Whether no more is open than before, here and at Postgres."""
        return self.open_files() <= self.files + 2 and sessions_at(self.stores.direct_url) <= self.sessions


def sessions_at(url: str) -> int:
    """How many sessions of the server Postgres has."""
    mine = "datname = current_database() AND application_name = 'scoreboard'"
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE {mine}"
    command = [str(binary("psql")), url, "--no-psqlrc", "--tuples-only", "--no-align", "-c", asked]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout)


@pytest.fixture(scope="module")
def between(store_servers: StoreServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    """As it is after everybody's connections were open once."""
    name, url = store_servers.fresh_database()
    data = tmp_path_factory.mktemp("hole") / "data"
    with proxied_stores(url, store_servers.redis) as stores:
        words = ("--postgres", stores.postgres_url, "--redis", stores.redis_url)
        with served(data, *words, environ=QUICK) as server:
            crowd = Crowd(server, "Early")
            crowd.do_all(crowd.scores_with_key)
            crowd.leave()
            world = Between(server, stores, 0, sessions_at(url))
            yield Between(server, stores, world.open_files(), 8)
            stores.postgres.swallows = stores.redis.swallows = False
    store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Crowd:
    """Some players who all do the same at once, and what each was answered."""

    server: ServedScoreboard
    name: str
    players: list[Player] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.players = [Player(self.server, f"{self.name}{letter}") for letter in "ABCDEFGHIJ"]
        self.tokens = {player.name: player.token() for player in self.players}

    def scores_with_key(self, player: Player) -> httpx.Response:
        """The same request each time."""
        return player.increment(self.tokens[player.name], player.name)

    def do_all(self, what: Callable[[Player], httpx.Response], within_s: float = BUDGET_S) -> list[int]:
        """Everybody at once; the statuses."""
        self.answers, self.wrong = [], []

        def one(player: Player) -> None:
            player.http.timeout = httpx.Timeout(within_s)
            try:
                self.answers.append(what(player))
            except httpx.HTTPError as error:
                self.wrong.append(f"{player.name}: {error!r}")

        threads = [threading.Thread(target=one, args=(player,)) for player in self.players]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [] == self.wrong
        return [answer.status_code for answer in self.answers]

    def points(self) -> list[int]:
        """Of each."""
        return [player.points() for player in self.players]

    def leave(self) -> None:
        """All."""
        for player in self.players:
            player.leave()


def test_where_nothing_reaches_postgres_everybody_is_refused_in_time_and_then_at_once(between: Between) -> None:
    """Boards are shown meanwhile. When it is over scores count again, once, and nothing stays open on either side."""
    crowd = Crowd(between.server, "Pat")
    asked = [crowd.scores_with_key, lambda player: player.http.get("/api/v1/users/me/sessions")]
    between.stores.postgres.swallows = True
    for each in asked:
        assert all(status in (500, 503) for status in crowd.do_all(each))
    wait_for(lambda: between.said("Postgres is away") == 1)
    for _ in range(3):
        assert [503] * 10 == crowd.do_all(crowd.scores_with_key, AT_ONCE_S)
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in crowd.answers)
        assert [200] * 10 == crowd.do_all(lambda player: player.http.get("/api/scores/top"), AT_ONCE_S)
    assert 503 == httpx.get(f"{between.server.url}/ready", trust_env=False).status_code
    assert between.open_files() <= between.files + 10 + 24  # those of the clients, and of attempts to connect
    between.stores.postgres.swallows = False
    wait_for(lambda: between.said("Postgres is back") == 1, 30)
    wait_for(lambda: crowd.do_all(crowd.scores_with_key) == [200] * 10, 30)
    assert [1] * 10 == crowd.points()
    crowd.leave()
    wait_for(between.settled, 30, lambda: f"{between.open_files()} files, before {between.files}")


def test_where_nothing_reaches_redis_scoring_goes_on(between: Between) -> None:
    """Nobody waits for it; boards move; readiness does not depend on it. Nothing stays open afterwards."""
    crowd = Crowd(between.server, "Rob")
    between.stores.redis.swallows = True
    assert [200] * 10 == crowd.do_all(crowd.scores_with_key)
    wait_for(lambda: between.said("Redis is away") == 1)
    for _ in range(2):
        crowd.tokens = {player.name: player.token() for player in crowd.players}
        assert [200] * 10 == crowd.do_all(lambda player: player.increment(crowd.tokens[player.name]), BUDGET_S)
    assert [3] * 10 == crowd.points()
    assert httpx.get(f"{between.server.url}/ready", trust_env=False).is_success
    wait_for(lambda: between.server.top()[0][2] == 3)
    between.stores.redis.swallows = False
    wait_for(lambda: between.said("Redis is back") == 1, 30)
    crowd.leave()
    wait_for(between.settled, 30, lambda: f"{between.open_files()} files, before {between.files}")


def test_a_server_that_nothing_of_both_reaches_ends_in_good_order(between: Between) -> None:
    """Status 0, within the bound of `stop`."""
    between.stores.postgres.swallows = between.stores.redis.swallows = True
    assert 0 == between.server.stop()
