"""What an operator's verbs on the command line share: their options, and how they say that something cannot be done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from scoreboard.settings import Settings
from scoreboard.settings_reader import SettingsError, load

#: What a process ends with when it could not do what was asked, and when it was asked wrongly.
FAILED = 1
MISTAKEN = 2
#: The folder that every server has; not taken from where it is read, as a verb loads no more than it needs.
KEYS = "keys"

data_option = click.option("--data", metavar="DIR", help="The data directory of the server.  [default: .data]")


def settings_of(data: str | None, options: Mapping[str, object] | None = None) -> Settings:
    """The settings of the server with this data directory; other options by the paths of settings, as `load` has them.

    A wrong one ends the process, with a sentence and the status 2.
    """
    try:
        return load(os.environ, {"data_dir": data, **(options or {})})
    except SettingsError as error:
        give_up(str(error), status=MISTAKEN)


def set_up(data: str | None, options: Mapping[str, object] | None = None) -> Settings:
    """As `settings_of`, for a verb that is about a server which was set up before.

    Where its data directory holds none the process ends with a sentence, and nothing was made there.
    """
    settings = settings_of(data, options)
    require_set_up(settings)
    return settings


def require_set_up(settings: Settings) -> None:
    """A server makes its keys before anything else, and a restored one has them; a link to them counts."""
    data_dir = Path(settings.data_dir).resolve()
    try:
        os.lstat(data_dir / KEYS)
    except (FileNotFoundError, NotADirectoryError):
        lacks = f"has no folder {KEYS}" if data_dir.is_dir() else "is not there"
        remedy = "name the server's own with --data, or set one up there with scoreboard serve"
        give_up(f"{data_dir} holds no server: it {lacks}. Nothing was changed; {remedy}")
    except OSError as error:
        remedy = "ask as the account that runs the server, or as root"
        give_up(f"{data_dir / KEYS}: {error.strerror}. Nothing was changed; {remedy}")


@contextmanager
def explained(*expected: type[Exception], status: int = FAILED) -> Iterator[None]:
    """End the process with the sentence of an expected error; others show where they come from."""
    try:
        yield
    except expected as error:
        give_up(str(error), status=status)


def give_up(sentence: str, *, status: int = FAILED) -> NoReturn:
    """End the process with this sentence."""
    click.echo(f"scoreboard: {sentence}", err=True)
    sys.exit(status)
