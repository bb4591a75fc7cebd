"""A real replica that had not received everything becomes the primary: what is lost is on no board any more."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.postgres_servers import PostgresServers, postgres_servers
from tests.served import Player, served, wait_for
from tests.workers import OneWorker, both

pytestmark = pytest.mark.stores

NAME = "parted"


def shown(worker: OneWorker) -> dict[str, int]:
    """By the board of that worker."""
    rows = worker.get("/api/scores/top?limit=100").json()["leaderboard"]
    return {row["username"]: row["score"] for row in rows}


def kept(servers: PostgresServers, port: int) -> dict[str, int]:
    """By the ledger of that server: the sums of all rows, which are the totals."""
    found = servers.sql(
        port,
        "SELECT u.username, u.score, coalesce(sum(s.score_increment), 0)"
        " FROM users u LEFT JOIN score_updates s USING (user_id) GROUP BY u.user_id",
        NAME,
    )
    rows = [line.split("|") for line in found.splitlines()]
    assert all(score == points for _, score, points in rows)
    return {name: int(score) for name, score, _ in rows}


def test_boards_of_all_workers_are_those_of_a_replica_that_had_not_received_all(redis_url: str, tmp_path: Path) -> None:
    """By no operator's act. A request that is repeated with its key counts anew, if what it did is lost."""
    with postgres_servers(tmp_path / "postgres") as servers:
        primary, replica = servers.ports
        words = ("--workers", "2", "--postgres", servers.fresh_database(NAME), "--redis", redis_url)
        with served(tmp_path / "data", *words) as server:
            workers = both(server)
            ann, bob = Player(server, "Ann"), Player(server, "Bob")
            ann.score(2)
            wait_for(lambda: kept(servers, replica) == {"Ann": 2, "Bob": 0})
            servers.part()
            ann.score(2)
            token, key = ann.token(), str(uuid.uuid4())
            assert 5 == ann.increment(token, key).json()["newScore"]
            Player(server, "Cyd").score(1)
            wait_for(lambda: [{"Ann": 5, "Bob": 0, "Cyd": 1}] * 2 == [shown(worker) for worker in workers])
            servers.kill(primary)
            servers.promote(replica)
            wait_for(lambda: bob.increment(bob.token()).is_success)
            wait_for(lambda: [{"Ann": 2, "Bob": 1}] * 2 == [shown(worker) for worker in workers])
            assert {"Ann": 2, "Bob": 1} == kept(servers, replica)
            assert 3 == ann.increment(token, key).json()["newScore"]
            wait_for(lambda: [{"Ann": 3, "Bob": 1}] * 2 == [shown(worker) for worker in workers])
            assert 2 == server.log.read_text().count("boards_rebuilt")
