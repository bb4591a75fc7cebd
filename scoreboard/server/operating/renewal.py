"""What a new worker is to be: the settings as the code that is installed now reads them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import trio

from scoreboard.observe.logs import Logger
from scoreboard.settings import Settings

#: What the parent itself has in its hands: these change only when the whole server is started anew.
KEPT = ("data_dir", "workers", "renewable", "door.host", "door.port", "stores.postgres_url", "stores.redis_url")
#: A second as a rule; a machine that has no time is when somebody reloads, too.
READ_WITHIN_S = 90.0


class NotRenewed(Exception):
    """The code or the settings that are there now would not serve; the sentences say why."""


def program() -> list[str]:
    """What runs a verb with the code that is installed."""
    isolated = ["-P"] if sys.flags.safe_path else []
    return [sys.executable, *isolated, "-m", "scoreboard"]


async def settings_now(options: Mapping[str, object]) -> dict[str, Any]:
    """What new code makes of the environment, the file and the options of the command line, as plain values.

    Read in a process of its own: the code that runs here is that of before. Raises NotRenewed.
    """
    command = [*program(), "effective-settings"]
    result = None
    with trio.move_on_after(READ_WITHIN_S):
        result = await trio.run_process(
            command, stdin=msgspec.json.encode(options), capture_stdout=True, capture_stderr=True, check=False
        )
    if result is None:
        raise NotRenewed(f"the installed program did not read its settings within {READ_WITHIN_S:g} s")
    if result.returncode:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()[-5:]
        raise NotRenewed("; ".join(said) or f"{subprocess.list2cmdline(command)} ended with {result.returncode}")
    try:
        return msgspec.json.decode(result.stdout, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotRenewed(f"the installed program told no settings: {error}") from error


def merged(fresh: dict[str, Any], started: Settings, running: Settings) -> tuple[dict[str, Any], list[str]]:
    """The settings of new workers, and a sentence for each that was changed and needs a start of the whole.

    `started` are those that the parent was started with, `running` the same with its own stores.
    """
    had, has = msgspec.to_builtins(started), msgspec.to_builtins(running)
    left: list[str] = []
    for path in KEPT:
        group, name = _place(fresh, path)
        if name in group and group[name] != _place(had, path)[0][name]:
            left.append(f"{path} stays as it is until the whole server is started anew")
        group[name] = _place(has, path)[0][name]
    return fresh, left


def changes(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of settings that are other, new or gone."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changes(old, new, f"{prefix}{name}.")
        elif old != new:
            yield prefix + name


def _place(tree: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    group, _, name = path.rpartition(".")
    return (tree.setdefault(group, {}) if group else tree), name


class Recipe:
    """What new workers are made of: the settings of the start, until they are renewed.

    Args:
        started: Those that the parent was started with.
        running: The same with its own stores.
        options: Those of its command line, by the paths of settings.
        log: Hears what was changed.
    """

    def __init__(self, started: Settings, running: Settings, options: Mapping[str, object], log: Logger) -> None:
        self.settings: dict[str, Any] = msgspec.to_builtins(running)
        self._former = self.settings
        self._started, self._running = started, running
        self._options = options
        self._log = log

    async def renew(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """Read the settings anew with the code that is installed now, and tell what is other. Raises NotRenewed."""
        fresh, left = merged(await settings_now(self._options), self._started, self._running)
        changed = list(changes(self.settings, fresh))
        self._former, self.settings = self.settings, fresh
        self._log.info("settings_renewed", changed=changed, left=left)
        for sentence in left:
            tell({"says": sentence})
        tell({"says": f"settings: {', '.join(changed) or 'nothing'} changed"})

    def take_back(self) -> None:
        """No worker serves with what was renewed: who is started again has the settings of before."""
        self.settings = self._former
        self._log.info("settings_taken_back")
