"""How much a service of the game may send, where that is not what all may: a file whose name says it.

It is `NAME.rows-<rows a minute>.limit` beside the tokens of services. If there are several, the least holds.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused, ServiceRefused
from scoreboard.security.services import FOLDER, LOOK_EVERY_S, NAME

_FILE = re.compile(rf"({NAME.pattern})\.rows-([0-9]{{1,9}})\.limit")


def set_rows(data_dir: Path, name: str, rows: int | None) -> None:
    """Let a service send so many rows a minute; None: what all may.

    Raises:
        ServiceRefused: the name is none.
        PrivateFileRefused: the folder is open to others, or cannot be written.
    """
    if not NAME.fullmatch(name):
        raise ServiceRefused("A service's name has 1 to 40 lower-case letters, digits and hyphens.")
    folder = data_dir / FOLDER
    new = folder / f"{name}.rows-{rows}.limit"
    try:
        keyfiles.ready_folder(folder)
        before = {path for path in folder.glob(f"{name}.rows-*.limit") if _FILE.fullmatch(path.name)}
        if rows is not None:
            keyfiles.create_once(new, lambda: b"")
        for path in before - {new}:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PrivateFileRefused(f"The limit of {name} cannot be written in {folder}: {error.strerror}") from error


class ServiceLimits:
    """The limits, as a running server sees them: it looks when one is asked for, now and then.

    A folder that others may write to limits nobody, and makes no token good either.
    """

    def __init__(self, data_dir: Path, *, now_s: Callable[[], float], every_s: float = LOOK_EVERY_S) -> None:
        self._folder = data_dir / FOLDER
        self._now_s = now_s
        self._every_s = every_s
        self._looked_s: float | None = None
        self._rows: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<ServiceLimits in {self._folder}, of {len(self._rows)} services>"

    def rows_of(self, name: str) -> int | None:
        """Rows a minute of that service, None if it has no limit of its own."""
        now_s = self._now_s()
        if self._looked_s is None or now_s - self._looked_s >= self._every_s:
            self._looked_s, self._rows = now_s, read_rows(self._folder)
        return self._rows.get(name)


def read_rows(folder: Path) -> dict[str, int]:
    """The rows a minute of each service that has a limit of its own."""
    try:
        if stat.S_IMODE(folder.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
            return {}
        names = os.listdir(folder)  # noqa: PTH208 - only the names, of which there are few
    except OSError:
        return {}
    rows: dict[str, int] = {}
    for match in filter(None, map(_FILE.fullmatch, names)):
        rows[match[1]] = min(int(match[2]), rows.get(match[1], int(match[2])))
    return rows
