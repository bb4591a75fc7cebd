from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scoreboard.replay.command import replay
from tests.replay.http_scoreboard import HttpScoreboard, listening
from tests.replay.test_football import EXTRACT, REPOSITORY, row

WITHIN_S = 30.0
PROGRAM = "from scoreboard.replay.command import replay; replay()"


@pytest.fixture
def server() -> Iterator[HttpScoreboard]:
    """A scoreboard on a real port."""
    with listening() as scoreboard:
        yield scoreboard


def arguments(server: HttpScoreboard, journal: Path, file: Path = EXTRACT) -> list[str]:
    """The command line for the Premier League 2015-16, without waits."""
    chosen = ["--season", "2015-16", "--division", "premier league", "--speed", "max"]
    return [str(file), *chosen, "--url", server.url, "--journal", str(journal)]


def in_process(*words: str) -> Result:
    """The command run here."""
    return CliRunner().invoke(replay, list(words))


def started(words: list[str]) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(fact: Callable[[], bool]) -> None:
    """Wait until something is true, within reason."""
    give_up = time.monotonic() + WITHIN_S
    while not fact():
        assert time.monotonic() < give_up, "it did not become true"
        time.sleep(0.01)


def season_file(path: Path, *rows: object) -> Path:
    """A file of a few matches."""
    path.write_text(json.dumps(rows))
    return path


def test_a_real_season_over_real_sockets_ends_in_agreement(server: HttpScoreboard, tmp_path: Path) -> None:
    """The whole command: unusable rows, journal, progress, both tables, the last line, exit code 0."""
    result = in_process(*arguments(server, tmp_path / "journal"))
    lines = result.output.splitlines()

    assert result.exit_code == 0, result.output
    assert lines[0] == "1 of 381 rows of premier_league_2015_16.json cannot be used and are left out:"
    assert lines[1].endswith("(English Premier League 2016-04-30, Aston Villa - Newcastle United): home_score is null")
    assert lines[2] == "English Premier League 2015-16: 380 matches of 20 teams, 1,033 points."
    assert re.search(r"^ +1 +Leicester City +81 +81 +1 *$", result.output, re.MULTILINE)
    assert lines[-1] == "Leicester City lead with 81 points: server and file agree (20 teams, 1,033 points)"


def test_tables_that_differ_end_with_exit_code_1(server: HttpScoreboard, tmp_path: Path) -> None:
    """A point too many on the server is found and said."""
    file = season_file(tmp_path / "file.json", row())
    server.fake.after_increments[3] = lambda: server.fake.add_point("Chelsea")
    result = in_process(*arguments(server, tmp_path / "journal", file))

    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        "Server and file differ in 1 of 2 teams: Chelsea (0 in the file, 1 on the server)"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--division": "Ligue 1"}, "The file has no division 'Ligue 1'; it has: English Premier League."),
        ({"--season": "2015"}, "'2015' is not a season"),
        ({"--season": "2001-02"}, "it has the seasons: 2015-16"),
        ({"--url": "localhost"}, "'localhost' is not an address of a server"),
        ({"--speed": "fast"}, "neither a number of matches a second nor max"),
        ({"--speed": "0"}, "neither a number of matches a second nor max"),
        ({"--concurrency": "0"}, "--concurrency"),
        ({"--journal": str(EXTRACT)}, "is not a line of a replay's journal"),
        ({"--journal": "/dev/null/x"}, "cannot be opened (Not a directory)"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_2(
    server: HttpScoreboard, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    """A sentence on standard error, and nothing sent."""
    words = arguments(server, tmp_path / "journal")
    result = in_process(*words, *(word for change in changes.items() for word in change))

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not server.fake.users


def test_a_file_that_is_no_list_of_matches_is_exit_code_2(server: HttpScoreboard, tmp_path: Path) -> None:
    """The wrong file is a sentence."""
    (tmp_path / "file.json").write_text("{}")
    result = in_process(*arguments(server, tmp_path / "journal", tmp_path / "file.json"))

    assert result.exit_code == 2
    assert "it must be a list of matches" in result.stderr


def test_no_server_at_all_is_exit_code_2_after_the_patience(server: HttpScoreboard, tmp_path: Path) -> None:
    """It waits as long as told, saying so, and says how to go on."""
    server.go_away()
    result = in_process(*arguments(server, tmp_path / "journal"), "--patience", "0.6")

    assert result.exit_code == 2
    assert "waiting up to 0.6 s for it to come back" in result.output
    assert "the same command goes on from here" in result.stderr
    assert "had no answer for 0.6 s" in result.stderr


def test_a_password_other_than_the_journals_is_refused(server: HttpScoreboard, tmp_path: Path) -> None:
    """The accounts exist already; another password could only fail later and more strangely."""
    words = arguments(server, tmp_path / "journal", season_file(tmp_path / "file.json", row()))
    assert in_process(*words, "--password", "Correct-horse-1").exit_code == 0
    result = in_process(*words, "--password", "Another-horse-1")

    assert server.fake.users["arsenal"].password == "Correct-horse-1"
    assert result.exit_code == 2
    assert "leave --password out" in result.stderr


def test_the_journal_lies_where_the_person_is_under_a_name_that_says_what_it_is(
    server: HttpScoreboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --journal, each league, season and server has its own."""
    monkeypatch.chdir(tmp_path)
    file = season_file(tmp_path / "file.json", row())
    words = arguments(server, tmp_path, file)
    result = in_process(*words[: words.index("--journal")])
    name = f"replay-english-premier-league-2015-16-at-127-0-0-1-{server.port}.journal"

    assert result.exit_code == 0
    assert (tmp_path / name).exists()
    assert f"Journal: {name} (new" in result.output


def test_an_interrupted_replay_says_how_to_go_on_and_does(server: HttpScoreboard, tmp_path: Path) -> None:
    """Ctrl-C ends it at once with 130, and the same command plays the rest."""
    words = arguments(server, tmp_path / "journal")
    process = started(words)
    wait_for(lambda: len(server.fake.log) > 50)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 130, output
    assert "points are left to play: the same command goes on from here" in output
    assert "Traceback" not in output

    result = in_process(*words)
    assert result.exit_code == 0, result.output
    assert "(going on: " in result.output
    assert len(server.fake.log) == 1033


def test_a_replay_that_is_killed_goes_on_without_doubling_a_point(server: HttpScoreboard, tmp_path: Path) -> None:
    """Three kills with no warning, and each point counted once."""
    words = arguments(server, tmp_path / "journal")
    for points in (40, 200, 500):
        process = started(words)
        wait_for(lambda points=points: len(server.fake.log) > points)  # type: ignore[misc]  # bound at once
        process.kill()
        process.communicate(timeout=WITHIN_S)
    result = in_process(*words)

    assert result.exit_code == 0, result.output
    assert len(server.fake.log) == 1033
    assert server.fake.users["leicester city"].score == 81


def test_a_server_that_restarts_in_the_middle_is_waited_for(server: HttpScoreboard, tmp_path: Path) -> None:
    """Open connections end, new ones are refused for a while, and the replay goes on by itself."""
    process = started(arguments(server, tmp_path / "journal"))
    wait_for(lambda: len(server.fake.log) > 100)
    server.go_away()
    time.sleep(1.0)  # how long it is away: the one thing here that is not a fact to wait for
    server.come_back()
    output, _ = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 0, output
    assert "The server does not answer" in output
    assert "The server is back after" in output
    assert "server and file agree (20 teams, 1,033 points)" in output
