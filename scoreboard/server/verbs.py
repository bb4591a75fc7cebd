"""What an operator's verbs on the command line share: their options, and how they say that something cannot be done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import click

from scoreboard.settings import Settings
from scoreboard.settings_reader import SettingsError, load

#: What a process ends with when it could not do what was asked, and when it was asked wrongly.
FAILED = 1
MISTAKEN = 2

data_option = click.option("--data", metavar="DIR", help="The data directory of the server.  [default: .data]")


def settings_of(data: str | None, options: Mapping[str, object] | None = None) -> Settings:
    """The settings of the server with this data directory; other options by the paths of settings, as `load` has them.

    A wrong one ends the process, with a sentence and the status 2.
    """
    try:
        return load(os.environ, {"data_dir": data, **(options or {})})
    except SettingsError as error:
        give_up(str(error), status=MISTAKEN)


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
