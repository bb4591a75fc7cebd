"""A server that may open hardly any files, and one that suddenly may not open any more."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.edge.books import books_of, complaints, refused, wait_until_back
from tests.edge.crowds import crowd_at
from tests.edge.valid import WEBSOCKET
from tests.served import CHEAP_PASSWORDS, START_WITHIN_S, TOP, Player, ServedScoreboard, wait_for
from tests.workers import log_of

pytestmark = pytest.mark.stores
ALLOWED = 160
#: By who looks after the server, and by anybody.
ASKED = ("/health", "/ready", "/metrics", "/api/scores/top")
SHELL = f'ulimit -n {ALLOWED} && exec "$@"'


class StarvedScoreboard(ServedScoreboard):
    """A server started where little is allowed; its embedded stores as well."""

    def start(self) -> None:
        """As the other one's."""
        words = ["sh", "-c", SHELL, "sh", sys.executable, "-m", "scoreboard", *self._words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd=TOP,
                env={**os.environ, **CHEAP_PASSWORDS, "PYTHONPATH": str(TOP)},
                stdout=log.fileno(),
                stderr=subprocess.STDOUT,
            )
        wait_for(self.ready, START_WITHIN_S, self.why_not)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One for both tests."""
    starved = StarvedScoreboard(tmp_path_factory.mktemp("starved") / "data")
    with starved.guests:
        try:
            starved.start()
            yield starved
        finally:
            starved.stop()


def test_who_comes_when_there_is_no_descriptor_left_for_clients_hears_so_at_once(server: ServedScoreboard) -> None:
    """Who is inside scores on, who looks after the server is answered, and whoever comes later is served as before.

    The log has one line of it.
    """
    inside, before = Player(server, "Inside"), books_of(server)
    with crowd_at(server) as crowd:
        crowd.join(ALLOWED // 2, WEBSOCKET % b"/ws/leaderboard")  # these stay, as long as their places are needed here
        crowd.join(3 * ALLOWED)
        wait_for(lambda: crowd.told(b"HTTP/1.1 503") >= 2 * ALLOWED)
        inside.score(3)
        asked = [httpx.get(f"{server.url}{path}", trust_env=False).status_code for path in ASKED]
    wait_until_back(lambda: books_of(server), before)
    Player(server, "Later").score(1)
    assert {"few_descriptors": 1, "connections_refused": 1, "limits_off": 1} == complaints(server)
    assert [200, 200, 200, 503] == asked
    assert (3, True) == (inside.points(), refused(server)["full"] >= 2 * ALLOWED)


def test_a_server_that_gets_no_descriptor_says_so_once_and_recovers_by_itself(server: ServedScoreboard) -> None:
    """Whatever took them all: who waits in the queue of the port is served once there are some again."""
    assert server.process is not None
    process, inside = psutil.Process(server.process.pid), Player(server, "Patient")
    inside.score(1)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.num_fds(), ALLOWED))
    with crowd_at(server) as crowd:
        crowd.join(20, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        wait_for(lambda: "accept_failed" in complaints(server))
        inside.score(2)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (ALLOWED, ALLOWED))
        assert [b"HTTP/1.1 200"] * 20 == [answer[:12] for answer in crowd.answers()]
    assert 1 == complaints(server)["accept_failed"]
    errors = {line["event"] for line in log_of(server) if line["level"] == "error"}
    assert errors <= {"keys_not_read"}  # which are looked at now and then, and cannot be opened meanwhile either
    assert 3 == inside.points()
