"""How much a service of the game may send, where that is not what all may: a file whose name says it.

It is `NAME.rows-<rows a minute>.limit` beside the tokens of services. If there are several, the least holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.service_folder import FOLDER, LOOK_EVERY_S, NAME, LookedAt, names_in, require_name

_FILE = re.compile(rf"({NAME.pattern})\.rows-([0-9]{{1,9}})\.limit")


def set_rows(data_dir: Path, name: str, rows: int | None) -> None:
    """Let a service send so many rows a minute; None: what all may.

    Raises:
        ServiceRefused: the name is none.
        PrivateFileRefused: the folder is open to others, or cannot be written.
    """
    require_name(name)
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
        self._rows = LookedAt(partial(read_rows, data_dir / FOLDER), now_s=now_s, every_s=every_s)

    def __repr__(self) -> str:
        return f"<ServiceLimits {self._rows!r}>"

    def rows_of(self, name: str) -> int | None:
        """Rows a minute of that service, None if it has no limit of its own."""
        return self._rows.now().get(name)


def read_rows(folder: Path) -> dict[str, int]:
    """The rows a minute of each service that has a limit of its own."""
    rows: dict[str, int] = {}
    for match in filter(None, map(_FILE.fullmatch, names_in(folder))):
        rows[match[1]] = min(int(match[2]), rows.get(match[1], int(match[2])))
    return rows
