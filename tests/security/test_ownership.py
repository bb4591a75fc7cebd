from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.security import journal, keyfiles, keymaking, service_limits
from scoreboard.security.keyfolder import KeyFolder
from scoreboard.security.rotation import KeyTimes

SERVER = 54_321  # an account that nobody here has
ACT = "0123456789abcdef0123456789abcdef0123"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data that belongs to the server's account."""
    os.chown(tmp_path, SERVER, SERVER)
    return tmp_path


def owners(folder: Path) -> Iterator[tuple[int, int]]:
    """Whose everything is that lies there."""
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        yield status.st_uid, status.st_gid


def test_what_root_makes_for_a_server_belongs_to_the_server(data: Path) -> None:
    """Keys, acts and limits of services that an operator makes with sudo: the server could not read them otherwise."""
    KeyFolder(data, KeyTimes(settle_s=30)).make()
    keymaking.rotate(data / "keys", "action")
    keymaking.retire(data / "keys", "action-1")
    journal.begin(data, ACT, {"what": "KEY_ROTATED"})
    journal.end(data, ACT, {"what": "KEY_ROTATED"})
    service_limits.set_rows(data, "arena", 5)
    assert {(SERVER, SERVER)} == set(owners(data))
    assert len(list(data.rglob("*"))) > 8
    assert {0o600, 0o700} == {path.stat().st_mode & 0o7777 for path in data.rglob("*")}


def test_every_folder_on_the_way_is_given_to_whoever_has_the_one_above(data: Path) -> None:
    """What is there already stays whose it is."""
    (data / "mine").mkdir(mode=0o700)
    keyfiles.ready_folder(data / "mine" / "deeper" / "keys")
    keyfiles.ready_folder(data / "another" / "keys")
    told = {path.relative_to(data).as_posix(): path.stat().st_uid for path in data.rglob("*")}
    assert {
        "mine": 0,
        "mine/deeper": 0,
        "mine/deeper/keys": 0,
        "another": SERVER,
        "another/keys": SERVER,
    } == told


def test_nothing_is_given_away_that_stood_there_before(data: Path) -> None:
    """Whoever has the folder may put anything there, also what leads elsewhere: that stays whose it is."""
    elsewhere = data.parent / f"{data.name}-elsewhere"
    elsewhere.mkdir(mode=0o700)
    (data / "keys").symlink_to(elsewhere)
    keyfiles.ready_folder(data / "keys")
    assert 0 == elsewhere.stat().st_uid
