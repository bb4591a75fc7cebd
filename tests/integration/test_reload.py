"""A server of one worker that is renewed while it serves: the successor comes before its predecessor goes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import trio

from scoreboard.client import connect
from tests.integration.test_operators import QUICK, Writer, farewell_of, reload_beside, shows_all, verb
from tests.served import ServedScoreboard, served
from tests.workers import Talk, connection_to, log_of, worker_pids

pytestmark = pytest.mark.stores

UNREADABLE = "[door]\ncertificate = '/nowhere/certificate.pem'\nprivate_key = '/nowhere/key.pem'\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One worker and its parent; the settings stand in a file that may be changed."""
    home = tmp_path_factory.mktemp("renewed")
    (home / "settings.toml").write_text("")
    environ = {**QUICK, "SCOREBOARD_CONFIG": str(home / "settings.toml")}
    with served(home / "data", "--renewable", environ=environ) as server:
        yield server


async def test_somebody_serves_all_the_while_that_the_only_worker_is_renewed(server: ServedScoreboard) -> None:
    """No request fails for who repeats it once, every point counts once, live clients are told to come back."""
    before = worker_pids(server)
    writers = [await trio.to_thread.run_sync(Writer, server, f"Only{number}") for number in range(2)]
    with connection_to(server, 1) as line:
        talk = Talk(line, "/ws/leaderboard")
        async with connect(server.url, debounce_s=0) as client:
            views = client.watch("leaderboard.top10")
            done = await trio.to_thread.run_sync(reload_beside, server, writers)
            assert 0 == done.returncode, done.stdout + done.stderr
            assert [] == [why for writer in writers for why in writer.failed]
            await shows_all(views, {(writer.player.name, writer.counted) for writer in writers})
        heard = await trio.to_thread.run_sync(farewell_of, talk)
    assert (1012, True) == (heard[0], heard[1].startswith("retryAfter="))
    after = worker_pids(server)
    assert ([1], set()) == (list(after), set(before.values()) & set(after.values()))
    assert all(writer.counted == writer.player.points() > 10 for writer in writers)
    came, _, gone = done.stdout.splitlines()[-3:]
    assert came.startswith("worker 1: renewed, serves after ")
    assert gone.startswith("worker 1: its predecessor is gone after ")


def test_a_successor_that_cannot_serve_costs_nothing_and_its_reason_is_told(server: ServedScoreboard) -> None:
    """The worker that was there serves on, with its settings; so does the one that takes its place when it dies."""
    settings, before = server.data.parent / "settings.toml", worker_pids(server)
    settings.write_text(UNREADABLE)
    done = verb(server, "reload", "--over", "0")
    settings.write_text("")
    assert 1 == done.returncode
    told = done.stdout.splitlines()[-1]
    assert told.startswith(
        "worker 1 stays as it is, and serves. Its successor does not: worker 1 ended with status 1: "
    )
    assert "/nowhere/certificate.pem" in told
    assert (before, True) == (worker_pids(server), server.ready())
    assert [] == [line for line in log_of(server) if line["event"] == "worker_failed"]
    status = verb(server, "status", "--json")
    assert (0, []) == (status.returncode, json.loads(status.stdout)["beside"])
