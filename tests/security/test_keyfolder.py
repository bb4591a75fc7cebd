from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfolder import LOOK_EVERY_S, KeyFolder, LiveKeys, load_keys
from scoreboard.security.keys import KeyRing
from scoreboard.security.rotation import KeyTimes

SECRET = b"ab" * 32


class Reading:
    """A folder and what a running server makes of it."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = KeyFolder(data_dir, KeyTimes(settle_s=30))
        self.folder.make()
        self.refused: list[str] = []
        self.changed: list[KeyRing] = []
        first = self.folder.read(time.time())
        self.later_s = 0.0
        self.live = LiveKeys(
            self.folder,
            first,
            now_s=lambda: time.time() + self.later_s,
            refused=self.refused.append,
            changed=self.changed.append,
        )

    def put(self, name: str, content: bytes = SECRET) -> Path:
        """Write a file as an operator would, with an old time of writing as a copy may have it."""
        path = self.folder.path / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        os.utime(path, (0, 0))
        return path


def test_what_was_made_can_be_unmade_and_nothing_else_goes(tmp_path: Path) -> None:
    """The folder, too, if nothing else is in it."""
    folder = KeyFolder(tmp_path)
    first = folder.make()
    assert {"jwt-1.key", "master-1.key", "refresh.key"} < {path.name for path in first}
    (folder.path / "master-1.key").unlink()
    again = folder.make()
    assert ([folder.path / "master-1.key"], []) == (again, folder.make())
    folder.unmake(again)
    assert {path.name for path in first} - {"master-1.key"} == {path.name for path in folder.path.iterdir()}
    folder.unmake(first)
    assert [] == list(tmp_path.iterdir())


async def test_a_folder_that_was_moved_away_is_told_and_not_made_again(tmp_path: Path) -> None:
    """What was read stays; an empty folder in its place would swallow the one that is moved back."""
    reading = Reading(tmp_path)
    before = reading.live.now()
    reading.folder.path.rename(tmp_path / "away")
    for _ in range(2):
        await reading.live.look()
    assert before is reading.live.now()
    assert [f"The folder {tmp_path / 'keys'} cannot be read: No such file or directory"] == reading.refused
    trouble = reading.live.trouble
    assert f"{reading.refused[0]}; the keys of before are used until the next start" == trouble
    (tmp_path / "away").rename(reading.folder.path)  # into its place, not into a folder there
    await reading.live.look()
    assert before is reading.live.now()
    assert reading.live.trouble is None
    reading.folder.read(time.time())


async def test_a_key_that_is_put_into_the_folder_is_known_to_a_running_server(tmp_path: Path) -> None:
    """Who asks for the keys has the same object until then, and hears of nothing without a change."""
    reading = Reading(tmp_path)
    before = reading.live.now()
    await reading.live.look()
    assert before is reading.live.now()
    old, new = before.action_keys[0], bytes.fromhex(SECRET.decode())
    reading.put("action-2.key")
    await reading.live.look()
    assert (old, new) == reading.live.now().action_keys
    reading.later_s = 31
    await reading.live.look()
    assert (new, old) == reading.live.now().action_keys
    assert [(old, new), (new, old)] == [ring.action_keys for ring in reading.changed]


async def test_a_folder_that_cannot_be_used_leaves_what_was_read(tmp_path: Path) -> None:
    """The reason is told once, and the next file that is right counts again."""
    reading = Reading(tmp_path)
    before = reading.live.now()
    reading.put("action-2.key", b"nonsense")
    await reading.live.look()
    await reading.live.look()
    assert before is reading.live.now()
    (reason,) = reading.refused
    assert "action-2.key" in reason
    reading.put("action-2.key")
    await reading.live.look()
    assert 2 == len(reading.live.now().action_keys)


async def test_a_folder_that_was_emptied_leaves_what_was_read(tmp_path: Path) -> None:
    """Somebody who moves it away for a moment stops nothing."""
    reading = Reading(tmp_path)
    before = reading.live.now()
    for path in reading.folder.path.iterdir():
        path.unlink()
    await reading.live.look()
    assert before is reading.live.now()
    assert 1 == len(reading.refused)


def test_a_folder_that_is_not_mounted_is_not_made(tmp_path: Path) -> None:
    """A machine that shares its keys with others does not begin with keys of its own."""
    (tmp_path / "keys").symlink_to(tmp_path / "mounted/keys")
    (tmp_path / "mounted").mkdir()
    with pytest.raises(PrivateFileRefused, match=r"leads to .*/mounted/keys, which is not there: is it mounted\?"):
        load_keys(tmp_path)
    assert [] == list((tmp_path / "mounted").iterdir())


async def test_the_folder_is_looked_at_again_and_again(tmp_path: Path, mock_clock: MockClock) -> None:
    """Without anybody asking."""
    reading = Reading(tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reading.live.keep)
        await wait_all_tasks_blocked()
        reading.put("action-2.key")
        mock_clock.jump(LOOK_EVERY_S)
        while not reading.changed:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


def test_keys_stand_under_their_names(tmp_path: Path) -> None:
    """Those of the game, further ones by name, and public ones; a number belongs to the file, not to the name."""
    reading = Reading(tmp_path)
    public = Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    reading.put("game-arena-1.key")
    reading.put("game-arena-2.key", b"cd" * 32)
    reading.put("public-arena-1.pem", pem)
    ring = reading.folder.read(time.time())
    assert {"game", "arena"} == set(ring.game_keys)
    assert (b"\xcd" * 32, b"\xab" * 32) == ring.game_keys["arena"]
    assert {"arena": (public.public_bytes_raw(),)} == ring.public_keys


def test_what_signed_once_is_known_for_it(tmp_path: Path) -> None:
    """A key that is rotated out is not believed, but not unknown either."""
    reading = Reading(tmp_path)
    old = reading.live.now().action_keys
    reading.put("action-2.key")
    ring = reading.folder.read(time.time() + 3600)
    assert (b"\xab" * 32,) == ring.action_keys
    assert old == ring.rotated_actions
