"""One promotion after the other on the real server, while those that were the primary before go on taking writes."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from scoreboard.stores.postgres_hosts import LOOKING, Hosts
from tests.integration.test_lost_commits import shown
from tests.integration.test_promotion import Scorer
from tests.postgres_servers import PostgresServers, postgres_servers
from tests.served import Player, ServedScoreboard, served, wait_for
from tests.stores.bounds import UNHURRIED
from tests.workers import both

pytestmark = pytest.mark.stores

NAME = "former"


def kept(servers: PostgresServers, port: int) -> dict[str, int]:
    """By the ledger of that server: the rows of each player, whose sum is the total."""
    query = (
        "SELECT u.username, u.score, (SELECT coalesce(sum(s.score_increment), 0) FROM score_updates s"
        " WHERE s.user_id = u.user_id) FROM users u"
    )
    rows = [line.split("|") for line in servers.sql(port, query, NAME).splitlines()]
    assert all(score == points for _, score, points in rows)
    return {name: int(score) for name, score, _ in rows}


def goes_on(scorer: Scorer) -> None:
    """By twenty scores."""
    before = scorer.counted
    wait_for(lambda: scorer.counted >= before + 20)


def check_what_was_answered(scorer: Scorer) -> None:
    """Each token is spent, and each key has its first answer."""
    for token, key, first in scorer.answers[:5] + scorer.answers[-5:]:
        assert first == scorer.player.increment(token, key).json()
        again = scorer.player.increment(token)
        assert (400, "TOKEN_ALREADY_USED") == (again.status_code, again.json()["code"])


def test_of_two_promotions_in_a_row_nothing_is_lost(redis_url: str, tmp_path: Path) -> None:
    """Each replica is a synchronous one. The first former primary goes on beside the new one, the second comes back."""
    with postgres_servers(tmp_path / "postgres") as servers:
        one, two = servers.ports
        words = ("--workers", "2", "--postgres", servers.fresh_database(NAME), "--redis", redis_url)
        with served(tmp_path / "data", *words) as server:
            servers.synchronous()
            scorer = Scorer(Player(server, "Steady"))
            scorer.start()
            goes_on(scorer)

            servers.promote(two)  # the first one still takes writes, and says of none that it stands
            goes_on(scorer)
            servers.kill(one)
            servers.follow(one, two)
            servers.synchronous(two)
            goes_on(scorer)

            servers.kill(two)
            servers.promote(one)
            goes_on(scorer)
            servers.start_one(two)  # as it was: it takes writes again
            left = kept(servers, two)
            goes_on(scorer)
            until_looked_at(servers, two)
            goes_on(scorer)

            scorer.stopped = True
            scorer.join(30)
            truth = {"Steady": scorer.counted}
            assert truth == kept(servers, one)
            assert left == kept(servers, two)
            level(server, truth)
            check_what_was_answered(scorer)
            assert truth == kept(servers, one)
            log = server.log.read_text()
            for now, before in ((2, 1), (3, 2)):
                assert 2 <= log.count(f"Postgres is on timeline {now:08X}, before on {before:08X}")


def test_a_former_primary_that_goes_on_and_a_second_one_of_the_same_timeline_are_passed_by(
    redis_url: str, tmp_path: Path
) -> None:
    """What the replicas lacked is on no board any more; each is followed once, in the order of their promotions."""
    with postgres_servers(tmp_path / "postgres", replicas=2) as servers:
        _, two, three = servers.ports
        url = servers.fresh_database(NAME)
        words = ("--workers", "2", "--postgres", url, "--redis", redis_url)
        with served(tmp_path / "data", *words) as server:
            scorer = Scorer(Player(server, "Ann"))
            fall_behind(servers, scorer)

            servers.promote(two)
            level(server, {"Ann": 3})
            score(scorer, 2)
            assert [4, 5, 2] == points(servers)

            servers.promote(three)  # to a timeline of the same number as that of the second
            until_looked_at(servers, three)
            score(scorer, 2)
            assert [4, 7, 2] == points(servers)
            assert two == found_at_a_start(url)

            servers.kill(two)
            level(server, {"Ann": 2})
            score(scorer, 1)
            servers.start_one(two)
            until_looked_at(servers, two)
            score(scorer, 1)
            level(server, {"Ann": 4})
            assert [4, 7, 4] == points(servers)
            assert three == found_at_a_start(url)


def fall_behind(servers: PostgresServers, scorer: Scorer) -> None:
    """The first has four points, the second three of them, the third two."""
    _, two, three = servers.ports
    for port, there in ((three, {"Ann": 2}), (two, {"Ann": 3})):
        score(scorer, there["Ann"] - scorer.counted)
        wait_for(partial(_has, servers, port, there))
        servers.part(port)
    score(scorer, 1)
    assert [4, 3, 2] == points(servers)


def _has(servers: PostgresServers, port: int, there: dict[str, int]) -> bool:
    return kept(servers, port) == there


def score(scorer: Scorer, times: int) -> None:
    """Until that has counted."""
    for _ in range(times):
        scorer.once()


def points(servers: PostgresServers) -> list[int]:
    """Those of the only player, by each server's ledger."""
    return [sum(kept(servers, port).values()) for port in servers.ports]


def level(server: ServedScoreboard, truth: dict[str, int]) -> None:
    """Wait until the boards of both workers show that."""
    workers = both(server)
    wait_for(lambda: [truth] * 2 == [shown(worker) for worker in workers], why_not=server.why_not)


def until_looked_at(servers: PostgresServers, port: int) -> None:
    """Wait until both workers have seen, some time after this, what that server is."""
    now = servers.sql(port, "SELECT clock_timestamp()")
    looks = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{LOOKING}' AND query_start > '{now}'"
    wait_for(lambda: int(servers.sql(port, looks)) >= 2)


def found_at_a_start(url: str) -> int:
    """The port of the one that is followed by who has not followed any before."""
    hosts = Hosts(url, UNHURRIED)
    asyncio.run(hosts.find())
    return int(repr(hosts).rpartition(":")[2].removesuffix(">"))
