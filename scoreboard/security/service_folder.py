"""The folder of the services of a game, as all see it who go by the names of its files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from scoreboard.security.errors import ServiceRefused

T = TypeVar("T")

FOLDER = "services"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
LOOK_EVERY_S = 0.5


def require_name(name: str) -> None:
    """Raises ServiceRefused if no service can be called so."""
    if not NAME.fullmatch(name):
        raise ServiceRefused("A service's name has 1 to 40 lower-case letters, digits and hyphens.")


def names_in(folder: Path) -> list[str]:
    """The names of all files; none where there is no folder, or others may write to it."""
    try:
        if stat.S_IMODE(folder.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
            return []
        return os.listdir(folder)  # noqa: PTH208 - only the names, of which there are few
    except OSError:
        return []


class LookedAt(Generic[T]):
    """What `look` has found: it looks again when that is asked for, `every_s` after the last time or later."""

    def __init__(self, look: Callable[[], T], *, now_s: Callable[[], float], every_s: float) -> None:
        self._look = look
        self._now_s = now_s
        self._every_s = every_s
        self._looked_s: float | None = None
        self._found: T | None = None

    def __repr__(self) -> str:
        return f"<LookedAt {self._found!r}>"

    def now(self) -> T:
        """As it was found within `every_s`."""
        if self._found is None or self._looked_s is None or self._now_s() - self._looked_s >= self._every_s:
            return self.anew()
        return self._found

    def anew(self) -> T:
        """As it is."""
        self._looked_s, self._found = self._now_s(), self._look()
        return self._found
