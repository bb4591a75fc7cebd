"""A backup of a server that is used, and a server of the backup."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import trio

from scoreboard.stores.embedded import embedded_postgres
from scoreboard.stores.embedded_postgres import running_url
from tests.integration.test_operators import verb
from tests.served import Player, ServedScoreboard, served

pytestmark = pytest.mark.stores


def copied(server: ServedScoreboard, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb that is about another directory than the server's."""
    return verb(ServedScoreboard(Path(words[-1])), *words[:-1])


def test_a_backup_made_beside_scores_is_restored_to_the_last_rank_and_serves(
    server: ServedScoreboard, tmp_path: Path
) -> None:
    """Whatever was answered before it began is in it; whoever signed in then is signed in; nothing is written over."""
    players = [Player(server, f"Kept{number}") for number in range(4)]
    for player, points in zip(players, (3, 1, 3, 0), strict=True):
        player.score(points)
    board, enough = server.top(), threading.Event()
    noise = threading.Thread(target=score_until, args=(Player(server, "Noise"), enough))
    noise.start()
    try:
        made = verb(server, "backup", str(tmp_path / "copy"))
    finally:
        enough.set()
        noise.join(30)
    assert 0 == made.returncode, made.stderr
    assert "private keys are in it" in made.stdout
    assert [0o700, 0o600] == [
        (tmp_path / name).stat().st_mode & 0o777 for name in ("copy", "copy/files/keys/master-1.key")
    ]
    again = verb(server, "backup", str(tmp_path / "copy"))
    assert (1, True) == (again.returncode, "is there already" in again.stderr)

    in_use = verb(server, "restore", str(tmp_path / "copy"))
    assert (1, True) == (in_use.returncode, "is in use by process" in in_use.stderr)
    restored = copied(server, "restore", str(tmp_path / "copy"), str(tmp_path / "data"))
    assert 0 == restored.returncode, restored.stderr
    for said in ("counts, sums and ranks are as they were", "the audit verifies", "is ready: scoreboard serve"):
        assert said in restored.stdout
    assert [] == [each.name for each in tmp_path.iterdir() if "unfinished" in each.name]
    with served(tmp_path / "data") as other:
        assert [row[1:] for row in board] == [row[1:] for row in other.top() if row[1] != "Noise"]
        assert 4 == players[0].moved_to(other).increment(players[0].moved_to(other).token()).json()["newScore"]
    taken = copied(server, "restore", str(tmp_path / "copy"), str(tmp_path / "data"))
    assert (1, True) == (taken.returncode, "has something in it already" in taken.stderr)


async def test_a_backup_of_a_postgres_by_its_url_is_restored_into_another_one(
    server: ServedScoreboard, tmp_path: Path
) -> None:
    """Verified like one of the server's own; what is in that one goes only if that is said, and nobody uses it.

    One that is found wrong when all of it is in leaves that database as it was.
    """
    player = await trio.to_thread.run_sync(Player, server, "Elsewhere")
    await trio.to_thread.run_sync(player.score, 2)
    copy, wrong = str(tmp_path / "copy"), str(tmp_path / "wrong")

    async def run(*words: str) -> subprocess.CompletedProcess[str]:
        return await trio.to_thread.run_sync(copied, server, *words)

    made = await run("backup", copy, "--postgres", running_url(server.data), str(server.data))
    assert 0 == made.returncode, made.stderr
    await trio.to_thread.run_sync(copied_wrongly, tmp_path / "copy", tmp_path / "wrong")
    async with embedded_postgres(tmp_path / "other") as url:
        failed = await run("restore", wrong, "--postgres", url, str(tmp_path / "one"))
        assert (1, True) == (failed.returncode, "points: -1 in the backup, " in failed.stderr)
        first = await run("restore", copy, "--postgres", url, str(tmp_path / "one"))
        assert (0, "") == (first.returncode, first.stderr)
        for said in ("counts, sums and ranks are as they were", "the audit verifies, and the keys open"):
            assert said in first.stdout
        again = await run("restore", copy, "--postgres", url, str(tmp_path / "two"))
        assert (1, True) == (again.returncode, "the database is not empty: " in again.stderr)
        failed = await run("restore", wrong, "--postgres", url, "--clear-database", str(tmp_path / "two"))
        assert (1, True) == (failed.returncode, "points: -1 in the backup, " in failed.stderr)
        again = await run("restore", copy, "--postgres", url, str(tmp_path / "two"))
        assert (1, True) == (again.returncode, "the database is not empty: " in again.stderr)
        cleared = await run("restore", copy, "--postgres", url, "--clear-database", str(tmp_path / "two"))
        assert (0, "") == (cleared.returncode, cleared.stderr)
    used = await run("restore", copy, "--postgres", running_url(server.data), "--clear-database", str(tmp_path / "no"))
    assert (1, True) == (used.returncode, "others are connected to the database" in used.stderr)
    assert (2, False) == (await trio.to_thread.run_sync(player.points), (tmp_path / "no").exists())


def copied_wrongly(copy: Path, to: Path) -> None:
    """A whole backup that says of itself what is not so."""
    shutil.copytree(copy, to)
    told = json.loads((to / "manifest.json").read_text())
    told["contents"]["points"] = -1
    (to / "manifest.json").write_text(json.dumps(told))


def score_until(player: Player, enough: threading.Event) -> None:
    """Beside the backup."""
    while not enough.wait(0.02):
        player.score(1)


def test_a_backup_without_its_masters_is_not_taken_for_a_whole_one(server: ServedScoreboard, tmp_path: Path) -> None:
    """What is known of persons could not be read; and a folder that is no backup is none."""
    assert 0 == verb(server, "backup", str(tmp_path / "copy")).returncode
    checked = copied(server, "restore", "--check", str(tmp_path / "copy"), str(tmp_path / "none"))
    assert (0, False) == (checked.returncode, (tmp_path / "none").exists())
    dump = tmp_path / "copy" / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-7] + b"damaged")
    damaged = copied(server, "restore", str(tmp_path / "copy"), str(tmp_path / "none"))
    assert (1, True) == (damaged.returncode, "it was damaged or changed" in damaged.stderr)
    assert not (tmp_path / "none").exists()
    shutil.rmtree(tmp_path / "copy" / "files" / "keys")
    (tmp_path / "copy" / "database.dump").write_bytes(whole)
    lost = copied(server, "restore", str(tmp_path / "copy"), str(tmp_path / "data"))
    assert (1, True) == (lost.returncode, "is missing" in lost.stderr)
    none = copied(server, "restore", str(tmp_path / "files"), str(tmp_path / "data"))
    assert (1, True) == (none.returncode, "is no backup" in none.stderr)
    nowhere = copied(server, "backup", str(tmp_path / "other"), str(tmp_path / "no-data"))
    assert (1, True) == (nowhere.returncode, "holds no server: it is not there" in nowhere.stderr)
    assert [tmp_path / "copy"] == list(tmp_path.iterdir())
