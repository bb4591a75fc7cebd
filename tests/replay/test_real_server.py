from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.replay.test_football import EXTRACT
from tests.served import ServedScoreboard, served, start_scoreboard, wait_for

pytestmark = pytest.mark.stores

WITHIN_S = 120.0


def start_replay(server: ServedScoreboard, directory: Path) -> subprocess.Popen[bytes]:
    """The Premier League 2015-16 as fast as it goes."""
    chosen = ["--season", "2015-16", "--division", "Premier League", "--speed", "max", "--url", server.url]
    words = ["replay", str(EXTRACT), *chosen, "--journal", str(directory / "journal")]
    with (directory / "replay.log").open("wb") as log:
        return start_scoreboard(words, log.fileno())


def counted(directory: Path) -> int:
    """How many points the replay knows to be counted."""
    journal = directory / "journal"
    return journal.read_bytes().count(b'"entry":"counted"') if journal.exists() else 0


def test_killing_the_server_and_the_replay_loses_and_doubles_no_point(tmp_path: Path) -> None:
    """A server killed in the middle and started on the same data, then a replay killed in the middle and started again.

    At the end every team has exactly the points of the file.
    """
    with served(tmp_path / "data") as server:
        replay = start_replay(server, tmp_path)
        wait_for(lambda: counted(tmp_path) > 100)
        server.kill()
        server.start()
        wait_for(lambda: counted(tmp_path) > 400)
        replay.kill()
        replay.wait(WITHIN_S)
        code = start_replay(server, tmp_path).wait(WITHIN_S)
        output = (tmp_path / "replay.log").read_text()

    assert code == 0, output
    assert output.splitlines()[-1] == (
        "Leicester City lead with 81 points: server and file agree (20 teams, 1,033 points)"
    )
