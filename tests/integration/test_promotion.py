"""Two real Postgres servers, one a replica of the other: which is asked what, until it takes the other's place."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from click.testing import CliRunner

from actors.ports import CommitUnknown, KeyConflict, KeyLookup, Period, Repeated, StoreUnavailable
from scoreboard.__main__ import main
from scoreboard.security.keyfolder import load_keys
from scoreboard.stores.opening import Stores
from scoreboard.stores.replicas import Replicas
from tests.contract.making import account, real_world, write
from tests.postgres_servers import PostgresServers, postgres_servers
from tests.served import Player, served, wait_for
from tests.stores.bounds import UNHURRIED
from tests.stores.test_losses import SOON_S
from tests.vault import MASTER, open_stores

pytestmark = pytest.mark.stores

LAG_S = 1.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServers]:
    """For all tests here, one after the other; the last ends with the other primary."""
    with postgres_servers(tmp_path_factory.mktemp("promotion")) as servers:
        yield servers


async def port_of_reads(stores: Stores) -> int:
    """Where what may lag is read."""
    replicas = stores.archive._reads  # type: ignore[attr-defined]
    assert isinstance(replicas, Replicas)
    port: int = await replicas.run(lambda connection: connection.fetchval("SELECT inet_server_port()"))
    assert [] == await stores.archive.periods(Period.DAILY, limit=5)
    return port


async def until_read_from(stores: Stores, port: int) -> None:
    """Wait for that."""
    with trio.fail_after(SOON_S):
        while await port_of_reads(stores) != port:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)


async def test_what_may_lag_is_read_from_a_replica_that_does_not_lag_too_much(
    servers: PostgresServers, redis_url: str
) -> None:
    """Otherwise, and when it is away, from the primary. Sessions have an end also where nobody says good-bye."""
    primary, replica = servers.ports
    url, replica_url = servers.fresh_database("lagging"), servers.url_of(replica, "lagging")
    async with open_stores(url, redis_url, replica_url=replica_url, replica_lag_s=LAG_S) as stores:
        assert primary == await port_of_reads(stores)  # nothing is known of the replica yet
        await until_read_from(stores, replica)
        servers.sql(replica, "SELECT pg_wal_replay_pause()")
        await stores.accounts.register(account("Ann"))
        await until_read_from(stores, primary)
        servers.sql(replica, "SELECT pg_wal_replay_resume()")
        await until_read_from(stores, replica)
        servers.kill(replica)
        assert primary == await port_of_reads(stores)
        servers.start_one(replica)  # here, as the kernel ends it with the thread that started it
        await until_read_from(stores, replica)
        told = [await shown(stores, name) for name in ("tcp_keepalives_idle", "tcp_user_timeout")]
        assert ["30", "60000"] == told


async def shown(stores: Stores, name: str) -> str:
    """A setting of a session with the primary."""
    value: str = await stores.database.run(lambda connection: connection.fetchval(f"SHOW {name}"))
    return value


def test_the_audit_can_be_asked_of_a_replica(
    servers: PostgresServers, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is verified and shown there as at the primary. Verbs that write say why they cannot."""
    monkeypatch.setattr("scoreboard.server.offline.MastersOnDisk", lambda *_: lambda: (MASTER,))
    load_keys(tmp_path)  # a server was set up there
    primary, replica = servers.ports
    url, replica_url = servers.fresh_database("audited"), servers.url_of(replica, "audited")

    def run(*words: str, at: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*words, "--postgres", at, "--data", str(tmp_path)])
        return result.exit_code, result.output

    async def prepare() -> None:
        async with open_stores(url, redis_url) as stores:
            world = real_world(stores)
            await world.scores.commit([write(await world.player("Ann"), points=7)])

    trio.run(prepare)
    servers.until_level(replica)
    for words in (("audit", "verify"), ("audit", "verify", "--json"), ("audit", "show"), ("audit", "show", "--json")):
        asked = run(*words, at=replica_url)
        assert asked == run(*words, at=url)
        assert (0, True) == (asked[0], len(asked[1]) > 50)
    status, said = run("user", "role", "Ann", "admin", at=replica_url)
    assert (1, True) == (status, "this Postgres only reads: it is a replica" in said)
    servers.sql(primary, "DELETE FROM schema_migrations WHERE name LIKE '0026%'", "audited")
    servers.until_level(replica)
    status, said = run("audit", "verify", at=replica_url)
    assert (1, True) == (status, "only reads, and 0026_histories.sql was not applied to its primary yet" in said)


async def test_a_score_that_only_the_primary_has_is_confirmed_to_nobody(
    servers: PostgresServers, redis_url: str
) -> None:
    """Postgres shows it as if it stood when whoever waited for the synchronous replica gives up. It may yet be lost."""
    replica = servers.ports[1]
    async with open_stores(
        servers.fresh_database("alone"), redis_url, bounds=replace(UNHURRIED, command_s=2)
    ) as stores:
        ann = await real_world(stores).player("Ann")
        asked = write(ann, "key")
        lookups = [KeyLookup(ann, "key", asked.request_hash)]
        with servers.waiting_for_replica():
            servers.kill(replica)
            with pytest.raises(CommitUnknown):
                await stores.scores.commit([asked])
            wait_for(lambda: servers.sql(servers.ports[0], "SELECT count(*) FROM idempotency_keys", "alone") == "1")
            with pytest.raises(StoreUnavailable):
                await stores.scores.recall(lookups)
            servers.start_one(replica)
            with trio.fail_after(SOON_S):
                while not (known := await patiently(stores, lookups)):  # noqa: ASYNC110 - nobody tells
                    await trio.sleep(0.05)
        assert [(1, None)] == [(each.points, each.new_rank) for each in known if isinstance(each, Repeated)]


async def test_a_score_whose_wait_for_the_replica_was_ended_is_not_confirmed(
    servers: PostgresServers, redis_url: str
) -> None:
    """By `pg_cancel_backend`, after which Postgres answers as ever: neither at once, nor to who asks again."""
    replica = servers.ports[1]
    async with open_stores(servers.fresh_database("ended"), redis_url, bounds=UNHURRIED) as stores:
        ann = await real_world(stores).player("Ann")
        asked = write(ann, "key")
        lookups = [KeyLookup(ann, "key", asked.request_hash)]
        with servers.waiting_for_replica():
            servers.kill(replica)
            with servers.ending_waits():
                with pytest.raises(CommitUnknown, match="synchronous replica"):
                    await stores.scores.commit([asked])
                assert servers.sql(servers.ports[0], "SELECT count(*) FROM idempotency_keys", "ended") == "1"
                with pytest.raises(StoreUnavailable, match="synchronous replica"):
                    await stores.scores.recall(lookups)
            servers.start_one(replica)
            known = await stores.scores.recall(lookups)
        assert [1] == [each.points for each in known if isinstance(each, Repeated)]


async def patiently(stores: Stores, lookups: list[KeyLookup]) -> list[Repeated | KeyConflict | None]:
    """Nothing as long as it is not known."""
    try:
        return await stores.scores.recall(lookups)
    except StoreUnavailable:
        return []


class Scorer(threading.Thread):
    """Scores again and again, each time with a key, until each is answered; what was not is asked again."""

    def __init__(self, player: Player) -> None:
        super().__init__(daemon=True)
        self.player, self.refused, self.stopped = player, 0, False
        self.answers: list[tuple[dict[str, Any], str, dict[str, Any]]] = []  # to which token and key

    @property
    def counted(self) -> int:
        """How many scores were answered."""
        return len(self.answers)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stopped:
            self.once()

    def once(self) -> None:
        """One score."""
        token = self._until(lambda: self.player.http.post("/api/actions/token")).json()["actionToken"]
        key = str(uuid.uuid4())
        answer = self._until(lambda: self.player.increment(token, key))
        if answer.is_success:
            self.answers.append((token, key, answer.json()))

    def _until(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        while (answer := ask()).is_server_error:
            self.refused += 1
        return answer


def test_a_replica_that_is_promoted_is_followed_while_scoring_goes_on(
    servers: PostgresServers, redis_url: str, tmp_path: Path
) -> None:
    """Nothing that was answered is lost, as the replica is a synchronous one. Nobody restarts anything."""
    primary, replica = servers.ports
    words = ("--postgres", servers.fresh_database("promoted"), "--redis", redis_url)
    with served(tmp_path / "data", *words) as server:
        servers.synchronous()
        scorer = Scorer(Player(server, "Steady"))
        scorer.start()
        wait_for(lambda: scorer.counted >= 20)
        servers.kill(primary)
        wait_for(lambda: scorer.refused >= 3)
        servers.promote(replica)
        before = scorer.counted
        wait_for(lambda: scorer.counted >= before + 20)
        scorer.stopped = True
        scorer.join(30)
        assert scorer.counted == scorer.player.points()
        scored = servers.sql(replica, "SELECT sum(score) FROM users WHERE username = 'Steady'", "promoted")
        in_ledger = servers.sql(replica, "SELECT count(*) FROM score_updates", "promoted")
        assert str(scorer.counted) == scored == in_ledger
        assert "Postgres is on timeline 00000002, before on 00000001" in server.log.read_text()
