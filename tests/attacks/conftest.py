"""What is attacked: a whole API over real actors, and real servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.stores.embedded_postgres import running_url
from tests.api.conftest import ring, world
from tests.attacks.pair import Pair
from tests.attacks.state import sql
from tests.served import TOP, Player, ServedScoreboard, served

__all__ = ["pair", "ring", "world"]
#: It would ban whoever attacks, and hide what else holds.
UNWATCHED = {"SCOREBOARD_FRAUD_ENABLED": "false"}


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[Pair]:
    """Both, with a game that can be won once an hour."""
    stores = ("--postgres", postgres_url, "--redis", redis_url)
    win = ("WIN_CUP", "--points", "500", "--most", "1", "--window-s", "3600")
    command = [sys.executable, "-m", "scoreboard", "action", "add", *win, "--postgres", postgres_url]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True, timeout=60)
    with (
        served(tmp_path / "data", *stores, environ=UNWATCHED) as one,
        served(tmp_path / "data", *stores, environ=UNWATCHED) as other,
    ):
        yield Pair(one, other, postgres_url, redis_url)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One for a whole file of attacks, which it must live through."""
    with served(tmp_path_factory.mktemp("attacked") / "data", environ=UNWATCHED) as running:
        yield running


@pytest.fixture(scope="module")
def ada(server: ServedScoreboard) -> Player:
    """Somebody with a point."""
    player = Player(server, "Ada")
    player.score(1)
    return player


def make_admin(server: ServedScoreboard, player: Player) -> None:
    """Whom the database says so, signed in anew as that."""
    sql(running_url(server.data), f"UPDATE users SET role = 'admin' WHERE user_id = '{player.user_id}'")
    player.sign_in()
