"""The services of a game that may send scores: a small file for each of their tokens, which ends when it is removed.

A file is `NAME.ID.json` under `services` in the data directory. Its name alone says that the token is good; what it
holds is for people. No secret is in it: the token itself is told once, to whoever made it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused, ServiceRefused

FOLDER = "services"
LOOK_EVERY_S = 0.5
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_FILE = re.compile(r"([a-z0-9][a-z0-9-]{0,39})\.([0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """One token of a service; times are seconds since the epoch."""

    name: str
    token_id: str
    created_s: int
    expires_s: int


def add(data_dir: Path, token: ServiceToken) -> None:
    """Make the file of a token.

    Raises:
        ServiceRefused: the name is none.
        PrivateFileRefused: the folder is open to others, or cannot be written.
    """
    if not NAME.fullmatch(token.name):
        raise ServiceRefused("A service's name has 1 to 40 lower-case letters, digits and hyphens.")
    folder = data_dir / FOLDER
    try:
        keyfiles.ready_folder(folder)
    except OSError as error:
        raise PrivateFileRefused(f"The folder {folder} cannot be made: {error.strerror}") from error
    said = {"name": token.name, "jti": token.token_id, "created": token.created_s, "expires": token.expires_s}
    content = json.dumps(said).encode() + b"\n"
    keyfiles.create_once(folder / f"{token.name}.{token.token_id}.json", lambda: content)


def listed(data_dir: Path) -> list[ServiceToken]:
    """All tokens that were not revoked, by name and age; raises PrivateFileRefused when one cannot be read."""
    found = [_read(path, match[1], match[2]) for path, match in _files(data_dir)]
    return sorted(found, key=lambda token: (token.name, token.created_s))


def _files(data_dir: Path) -> list[tuple[Path, re.Match[str]]]:
    paths = sorted((data_dir / FOLDER).glob("*.json"))
    return [(path, match) for path in paths if (match := _FILE.fullmatch(path.name))]


def _read(path: Path, name: str, token_id: str) -> ServiceToken:
    content = keyfiles.read_private(path)
    try:
        said = json.loads(content)
        return ServiceToken(name, token_id, int(said["created"]), int(said["expires"]))
    except (ValueError, KeyError, TypeError) as error:
        text = f"The file {path} is not as it was made. Its token is good all the same, until it is revoked: {token_id}"
        raise PrivateFileRefused(text) from error


def revoke(data_dir: Path, name_or_id: str) -> int:
    """End the tokens of a service, or the one with that id; how many there were. What their files hold is not asked.

    Raises:
        PrivateFileRefused: a file cannot be removed.
    """
    ended = [path for path, match in _files(data_dir) if name_or_id in match.groups()]
    for path in ended:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PrivateFileRefused(f"The file {path} cannot be removed: {error.strerror}") from error
    return len(ended)


class ServiceTokens:
    """Which tokens of services are good, as a running server sees it: it looks when one is used, now and then.

    So a token that was made or revoked is known within half a second (`every_s`), and a server without services does
    nothing. A folder that others may write to makes no token good.
    """

    def __init__(self, data_dir: Path, *, now_s: Callable[[], float], every_s: float = LOOK_EVERY_S) -> None:
        self._folder = data_dir / FOLDER
        self._now_s = now_s
        self._every_s = every_s
        self._looked_s: float | None = None
        self._live: frozenset[tuple[str, str]] = frozenset()

    def __repr__(self) -> str:
        return f"<ServiceTokens in {self._folder}, {len(self._live)} tokens>"

    def __contains__(self, name_and_id: object) -> bool:
        now_s = self._now_s()
        if self._looked_s is None or now_s - self._looked_s >= self._every_s:
            self._looked_s = now_s
            self._live = self._look()
        return name_and_id in self._live

    def _look(self) -> frozenset[tuple[str, str]]:
        try:
            if stat.S_IMODE(self._folder.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
                return frozenset()
            names = os.listdir(self._folder)  # noqa: PTH208 - only the names, of which there are few
        except OSError:
            return frozenset()
        return frozenset((match[1], match[2]) for name in names if (match := _FILE.fullmatch(name)))
