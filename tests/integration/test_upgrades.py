"""The version before and this one on one database: side by side while one takes the other's place, and back again."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import asyncpg
import httpx
import pytest
import trio
import trio_asyncio

from tests.integration.ways import Ways
from tests.served import TOP, Player, ServedScoreboard

#: The commit of the version before, which must be able to work on. Each release puts the one before itself here.
PREVIOUS = "67c0ac2d3e87183185451b27d9579cb1273ba8fd"
pytestmark = pytest.mark.stores


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the program of the version before, out of the history of this one."""
    wanted = ["git", "archive", PREVIOUS, "actors", "scoreboard", "hypercorn.toml"]
    archive = subprocess.run(wanted, cwd=TOP, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the version before is not in the history here: {archive.stderr.decode().strip()}")
    directory = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    return directory


@dataclass
class Upgrade:
    """Servers of two versions over the same stores and the same keys, each on a port of its own."""

    old: ServedScoreboard
    new: ServedScoreboard
    postgres: str

    def verify(self) -> str:
        """What the newer version says of the audit's seals; it must find all as it was written."""
        words = ["audit", "verify", "--data", str(self.new.data), "--postgres", self.postgres]
        command = [sys.executable, "-m", "scoreboard", *words]
        return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def upgrade(tmp_path: Path, previous: Path, empty_url: str, redis_url: str) -> Iterator[Upgrade]:
    """None of the two runs yet, and the database has no tables."""
    words = ("--postgres", empty_url, "--redis", redis_url)
    old = ServedScoreboard(tmp_path / "data", *words, code=previous)
    new = ServedScoreboard(tmp_path / "data", *words)
    with old.guests, new.guests:
        try:
            yield Upgrade(old, new, empty_url)
        finally:
            old.stop()
            new.stop()


async def points_in(url: str) -> int:
    """The sum of the ledger, which must be the sum of all scores."""

    async def read() -> tuple[int, int]:
        connection = await asyncpg.connect(url)
        try:
            scores = await connection.fetchval("SELECT coalesce(sum(score), 0) FROM users")
            return scores, await connection.fetchval("SELECT coalesce(sum(score_increment), 0) FROM score_updates")
        finally:
            await connection.close()

    async with trio_asyncio.open_loop() as loop:
        scores, ledger = await loop.run_aio_coroutine(read())
    assert ledger == scores
    return int(scores)


def take_turns(upgrade: Upgrade) -> tuple[Ways, Ways]:
    """Everybody scores in every way while the new version comes, both serve, and the new one goes again."""
    upgrade.old.start()
    before = Ways(upgrade.old, "1")
    with before.gone():
        before.further()
        upgrade.new.start()
        after = Ways(upgrade.new, "2")
        with after.gone():
            before.further()
            after.further()
        assert 0 == upgrade.new.stop()
        before.further()
    assert ([], []) == (before.wrong, after.wrong)
    return before, after


async def test_one_version_takes_the_place_of_the_other_and_gives_it_back(upgrade: Upgrade) -> None:
    """No score is refused, lost or doubled, and the older version begins again on what the newer one has left."""
    before, after = await trio.to_thread.run_sync(take_turns, upgrade)
    counted = before.points() + after.points()

    assert counted == await points_in(upgrade.postgres)
    upgrade.old.kill()
    upgrade.old.start()
    before.player.score(1)
    after.player.moved_to(upgrade.old).score(1)
    assert counted + 2 == await points_in(upgrade.postgres)
    assert "as it was written" in upgrade.verify()
    rows = upgrade.old.top()
    upgrade.new.start()
    assert rows == upgrade.new.top()


def me(server: ServedScoreboard, token: str) -> str:
    """Whom the server takes the owner of a token for."""
    answer = httpx.get(f"{server.url}/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    return str(answer.raise_for_status().json()["data"]["username"])


def test_who_is_known_to_one_version_is_known_to_the_other(upgrade: Upgrade) -> None:
    """Whoever registers at one signs in at the other, by the same session and anew.

    An address that was registered at the older one is taken at the newer one. Not the other way round: the older one
    cannot read what the newer one encrypts, and such twins are left as they are.
    """
    upgrade.old.start()
    elder = Player(upgrade.old, "Elder")
    upgrade.new.start()
    younger = Player(upgrade.new, "Younger")
    for player, other in ((elder, upgrade.new), (younger, upgrade.old)):
        player.score(1)
        player.moved_to(other).score(1)
        account = {"username": player.name, "password": player.password}
        again = httpx.post(f"{other.url}/api/auth/login", json=account, trust_env=False)
        assert 200 == again.status_code, again.text
        assert player.name == me(other, again.json()["accessToken"])
    twin = {"username": "Twin", "email": "elder@example.com", "password": elder.password}
    taken = httpx.post(f"{upgrade.new.url}/api/auth/register", json=twin, trust_env=False)
    assert 409 == taken.status_code, taken.text
