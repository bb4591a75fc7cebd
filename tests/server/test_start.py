"""What an operator is told when the server starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from scoreboard.server.port import url_of
from tests.served import TOP, Player, served, start_scoreboard

NOBODY = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80/"), ("board.example", "http://board.example:80/"), ("::1", "http://[::1]:80/")],
)
def test_the_address_in_the_log_is_one_for_a_browser(host: str, url: str) -> None:
    """An IPv6 address stands in brackets there."""
    assert url == url_of(host, 80)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """With the reason, in a sentence, and status 1."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with (tmp_path / "log").open("wb") as log:
        process = start_scoreboard(["serve", "--port", "0", "--data", str(taken)], log.fileno())
        status = process.wait(30)
    [line] = (tmp_path / "log").read_text().splitlines()
    assert (1, [f"the data directory {taken} cannot be made: File exists"]) == (status, json.loads(line)["reasons"])


@pytest.mark.stores
def test_a_redis_that_does_not_answer_is_told_and_no_score_depends_on_it(tmp_path: Path) -> None:
    """A mistyped address would otherwise be noticed by nobody."""
    with served(tmp_path / "data", "--redis", NOBODY) as server:
        answer = httpx.get(f"{server.url}/ready", trust_env=False)
        player = Player(server, "Ada")
        player.score(3)
        assert [(1, "Ada", 3)] == server.top()
        player.leave()
    assert (200, "does not answer") == (answer.status_code, answer.json()["parts"]["redis"])
    events = [json.loads(line)["event"] for line in server.log.read_text().splitlines()]
    assert {"migrated", "redis_does_not_answer"} <= set(events)


def packages_behind(statements: str) -> set[str]:
    """The packages that a fresh Python has loaded behind these statements."""
    program = f"{statements}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], cwd=TOP, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_a_process_loads_no_servers_and_clients_that_it_does_not_run() -> None:
    """Each start would wait for them: the packages of the codecs of Socket.IO bring four clients of other protocols."""
    loaded = packages_behind("import scoreboard.server.running")
    assert loaded >= {"scoreboard", "quart", "redis", "asyncpg"}
    assert set() == loaded & {"engineio", "socketio", "requests", "urllib3", "valkey", "httpx"}


def test_the_parent_of_several_workers_loads_nothing_that_only_they_run() -> None:
    """Nor does what tells a reload its settings."""
    assert set() == packages_behind("import scoreboard.server.serve_command") & {"quart", "flask", "httpx"}


def test_who_wants_the_packages_of_the_codecs_gets_them_whole() -> None:
    """What the codecs were loaded with is forgotten."""
    loaded = packages_behind("import scoreboard.live.socketio, socketio, engineio; socketio.Server, engineio.Server")
    assert loaded >= {"engineio", "socketio"}
