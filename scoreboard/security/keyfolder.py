"""The folder of keys: made on first start under the data directory, and read again while a server runs.

`jwt-<n>.key` sign access tokens, `action-<n>.key` action tokens, and from `client-<n>.key` follow the secrets with
which clients sign their requests. Of each kind one signs; when another takes its place, and how long the earlier ones
are believed, says ``scoreboard.security.rotation``. `master-<n>.key` wrap the keys of persons in the same way: one
wraps, and what an earlier one has wrapped is opened as long as that is there.

`game-<n>.key` are shared with the game's servers, which prove with them what players did; further ones stand under
names of their own as `game-<name>-<n>.key`, and `public-<name>-<n>.pem` are the public halves of keys that others hold.
Of these all that are there are believed: only who holds the other half knows when it is no longer used. `refresh.key`
derives refresh tokens.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import trio

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfiles import KeyFile, key_files
from scoreboard.security.keys import (
    GAME,
    MASTER,
    KeyRing,
    new_rsa_pem,
    new_secret_line,
    parse_public,
    parse_rsa,
    parse_secret,
)
from scoreboard.security.rotation import KeyTimes, Standing, standing

FOLDER = "keys"
LOOK_EVERY_S = 0.5
#: The secret of clients had no number before it could be rotated.
FIRST_CLIENT_KEY = "client.key"

#: Of these there must be one each.
MADE = (("jwt", new_rsa_pem), ("action", new_secret_line), (MASTER, new_secret_line), (GAME, new_secret_line))

T = TypeVar("T")
Parse = Callable[[bytes, str], T]


def load_keys(data_dir: Path, times: KeyTimes | None = None, *, now_s: float | None = None) -> KeyRing:
    """Read the key ring under `data_dir`/keys, after making whatever is missing there. Blocks; call it at start.

    Raises:
        PrivateFileRefused: a file is readable by others, cannot be read, or holds no usable key.
    """
    folder = KeyFolder(data_dir, times)
    folder.make()
    return folder.read(time.time() if now_s is None else now_s)


def signing_files(folder: Path, kind: str) -> list[KeyFile]:
    """The files of a kind of which one signs, the newest first."""
    files, first = key_files(folder, kind), folder / FIRST_CLIENT_KEY
    return [*files, KeyFile(first, 0, keyfiles.made_s(first))] if kind == "client" else files


class KeyFolder:
    """Reads the folder. Each file is read once, unless it is written again: to look often is cheap."""

    def __init__(self, data_dir: Path, times: KeyTimes | None = None) -> None:
        self.path = data_dir / FOLDER
        self._times = times or KeyTimes()
        self._parsed: dict[tuple[Path, float], Any] = {}

    def __repr__(self) -> str:
        return f"<KeyFolder {self.path}, {len(self._parsed)} files>"

    def make(self) -> list[Path]:
        """Make what is missing; the files that were. Raises PrivateFileRefused as `load_keys`."""
        keyfiles.ready_folder(self.path)
        wanted = [(self.path / f"{kind}-1.key", make) for kind, make in MADE if not key_files(self.path, kind)]
        wanted += [(self.path / name, new_secret_line) for name in ("refresh.key", FIRST_CLIENT_KEY)]
        return [path for path, make in wanted if keyfiles.create_once(path, make)]

    def unmake(self, made: Iterable[Path]) -> None:
        """Leave it as it was before `make`."""
        for path in made:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # others are in it
            self.path.rmdir()

    def read(self, now_s: float) -> KeyRing:
        """The keys as they hold now; raises PrivateFileRefused as `load_keys`."""
        keyfiles.require_folder(self.path)
        known, self._parsed = self._parsed, {}
        jwt, action = self._standing("jwt", now_s), self._standing("action", now_s)
        client = self._standing("client", now_s)
        ring = KeyRing(
            signing=self._each(jwt.believed, parse_rsa, known),
            action_keys=self._each(action.believed, parse_secret, known),
            refresh_key=self._one("refresh.key", known),
            game_keys=self._named(GAME, "key", parse_secret, known),
            client_keys=self._each(client.believed, parse_secret, known),
            public_keys=self._named("public", "pem", parse_public, known),
            rotated_actions=self._each(action.rotated_out, parse_secret, known),
            rotated_signing=self._each(jwt.rotated_out, parse_rsa, known),
            master_keys=self._each(self._standing(MASTER, now_s).believed, parse_secret, known),
        )
        return _not_empty(self.path, ring)

    def masters(self, now_s: float) -> tuple[bytes, ...]:
        """The master keys alone, none if there are none: for who must not make any. Raises as `load_keys`."""
        return self._each(self._standing(MASTER, now_s).believed, parse_secret, {})

    def states(self, now_s: float) -> list[tuple[KeyFile, str]]:
        """Each key's file and what it does now: signs, believed, rotated out; wraps, opens. Raises as `load_keys`."""
        keyfiles.require_folder(self.path)
        found: list[tuple[KeyFile, str]] = []
        for kind in ("action", "client", "jwt", MASTER):
            now = self._standing(kind, now_s)
            first, others = ("wraps", "opens") if kind == MASTER else ("signs", "believed")
            found += [(file, others if place else first) for place, file in enumerate(now.believed)]
            found += [(file, "rotated out") for file in now.rotated_out]
        for family, suffix in ((GAME, "key"), ("public", "pem")):
            for kind in keyfiles.kinds(self.path, family, suffix):
                found += [(file, "believed") for file in key_files(self.path, kind, suffix)]
        return found

    def _standing(self, kind: str, now_s: float) -> Standing:
        lives_s = {"action": self._times.action_s, MASTER: math.inf}.get(kind, self._times.access_s)
        return standing(signing_files(self.path, kind), now_s=now_s, settle_s=self._times.settle_s, lives_s=lives_s)

    def _named(
        self, family: str, suffix: str, parse: Parse[T], known: dict[tuple[Path, float], Any]
    ) -> dict[str, tuple[T, ...]]:
        """By name: `game` itself stands under its own, `game-arena` and `public-arena` under `arena`."""
        return {
            kind.partition("-")[2] or kind: self._each(tuple(key_files(self.path, kind, suffix)), parse, known)
            for kind in keyfiles.kinds(self.path, family, suffix)
        }

    def _one(self, name: str, known: dict[tuple[Path, float], Any]) -> bytes:
        path = self.path / name
        (secret,) = self._each((KeyFile(path, 0, keyfiles.made_s(path)),), parse_secret, known)
        return secret

    def _each(self, files: tuple[KeyFile, ...], parse: Parse[T], known: dict[tuple[Path, float], Any]) -> tuple[T, ...]:
        for file in files:
            at = (file.path, file.made_s)
            self._parsed[at] = known[at] if at in known else parse(keyfiles.read_private(file.path), str(file.path))
        return tuple(self._parsed[file.path, file.made_s] for file in files)


class LiveKeys:
    """The keys of a running server: `now` is asked whenever one is needed, `keep` looks for what has changed.

    A folder that cannot be used changes nothing: what was read stays, and `refused` hears why, once for each reason.
    """

    def __init__(
        self,
        folder: KeyFolder,
        ring: KeyRing,
        *,
        now_s: Callable[[], float] = time.time,
        refused: Callable[[str], None] = lambda _: None,
        changed: Callable[[KeyRing], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._ring = ring
        self._now_s = now_s
        self._refused, self._changed = refused, changed
        self._reason = ""

    def __repr__(self) -> str:
        return f"<LiveKeys, {self._ring.signing[0].kid} signs>"

    @property
    def trouble(self) -> str | None:
        """A sentence for the operator, if the folder cannot be used: a server that is started now would not serve."""
        return f"{self._reason}; the keys of before are used until the next start" if self._reason else None

    def now(self) -> KeyRing:
        """The keys as they hold now; the same object until something changes."""
        return self._ring

    async def keep(self) -> None:
        """Look again and again; never returns."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Read the folder once. The files lie on a disk that may hang: nobody waits for it, not even the end."""
        try:
            ring = await trio.to_thread.run_sync(self._folder.read, self._now_s(), abandon_on_cancel=True)
        except (PrivateFileRefused, OSError) as error:
            if str(error) != self._reason:
                self._reason = str(error)
                self._refused(self._reason)
            return
        self._reason = ""
        if ring != self._ring:
            self._ring = ring
            self._changed(ring)


def _not_empty(path: Path, ring: KeyRing) -> KeyRing:
    for kind, keys in (("jwt", ring.signing), ("action", ring.action_keys), (MASTER, ring.master_keys)):
        if not keys:
            raise PrivateFileRefused(f"There is no file {kind}-<number>.key in {path}")
    return ring
