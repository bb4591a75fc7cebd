"""``scoreboard backup`` and ``scoreboard restore``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import trio

from actors.ports import StoreError
from scoreboard.security.errors import SecurityError
from scoreboard.server.offline import postgres_option
from scoreboard.server.operating.following import INTERRUPTED
from scoreboard.server.operating.keeping import back_up, put_back, rehearse
from scoreboard.server.verbs import MISTAKEN, data_option, explained, give_up, set_up, settings_of
from scoreboard.stores.backup import BackupError
from scoreboard.stores.embedded import EmbeddedError
from scoreboard.stores.migrate import MigrationError

FAILURES = (BackupError, StoreError, EmbeddedError, MigrationError, SecurityError, OSError)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the process with a sentence: what was begun has been cleared away by then."""
    try:
        yield
    except KeyboardInterrupt:
        give_up("left off; nothing was changed", status=INTERRUPTED)
    except BaseExceptionGroup as errors:
        if errors.subgroup(KeyboardInterrupt) is None:
            raise
        give_up("left off; nothing was changed", status=INTERRUPTED)


@click.command("backup")
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Restore it into a scratch directory beside it, and compare.")
@data_option
@postgres_option
def backup_command(to: Path, data: str | None, postgres: str | None, *, check: bool) -> None:
    """Write a server, running or not, to a folder: its database and its keys.

    The database is that of one moment. The folder TO appears when it is whole. It holds the private keys, the masters
    that open what is known of persons among them: keep it as you keep keys. What is in Redis is not in it, and nothing
    depends on that. Ends with 0 when it is on disk (and, with --check, was restored), otherwise with 1.
    """
    settings, began = set_up(data, {"stores.postgres_url": postgres}), time.monotonic()
    with explained(*FAILURES), interruptible():
        contents = trio.run(back_up, settings, to.absolute())
        told = f"{contents.players} players with {contents.points} points, {contents.scores} scores"
        click.echo(f"{to}: {told}, in {time.monotonic() - began:.1f} s; private keys are in it")
        if check:
            trio.run(partial(rehearse, settings, to.absolute(), click.echo))


@click.command("restore")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only into a scratch directory beside FROM, which is removed again.")
@click.option("--clear-database", is_flag=True, help="Remove all that is in the database of --postgres first.")
@data_option
@postgres_option
def restore_command(source: Path, data: str | None, postgres: str | None, *, check: bool, clear_database: bool) -> None:
    """Make a data directory of a backup, and see that nothing is missing.

    Counts, sums, ranks and seals are compared. The directory must not be there, or be empty. With --postgres the
    database is filled that it names, which must be empty, or nobody may use it and --clear-database says that all of it
    is to go, for which it needs room for both. Nothing else is written over. The directory appears when all of it is
    right. Ends with 0 then, otherwise with 1, and that database holds what it held before.
    """
    settings = settings_of(data, {"stores.postgres_url": postgres})
    if clear_database and settings.stores.postgres_url is None:
        give_up("--clear-database is about the database that --postgres names", status=MISTAKEN)
    with explained(*FAILURES), interruptible():
        if check:
            trio.run(partial(rehearse, settings, source.absolute(), click.echo))
            click.echo(f"{source} can be restored")
        else:
            trio.run(partial(put_back, settings, source.absolute(), click.echo, clear=clear_database))
            click.echo(f"{settings.data_dir} is ready: scoreboard serve --data {settings.data_dir}")
