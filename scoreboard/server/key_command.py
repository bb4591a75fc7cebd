"""``scoreboard key``: the keys of a server. It need not run; one that runs sees a change within a second."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from scoreboard.security import keymaking
from scoreboard.security.errors import SecurityError
from scoreboard.security.keyfiles import read_private
from scoreboard.security.keyfolder import FOLDER, KeyFolder
from scoreboard.security.keys import MASTER, parse_secret
from scoreboard.security.personal import master_id
from scoreboard.server.acts import KEY_ROTATED, journaled, why_option
from scoreboard.server.keychain import key_times
from scoreboard.server.offline import postgres_option, with_stores
from scoreboard.server.rewrap_command import rewrap_command
from scoreboard.server.verbs import data_option, explained, give_up, set_up
from scoreboard.settings import Settings
from scoreboard.stores.personal_rewrap import wrapped_by


@click.group("key")
def key() -> None:
    """Rotate keys, register those of the game, and retire them.

    No token that was honestly given is ever refused by a rotation: a new key signs when all servers have read it, and
    an old one is believed as long as what it signed can live.
    """


@key.command("rotate")
@click.argument("kind", type=click.Choice(sorted(keymaking.MAKERS)))
@click.option("--name", default="", help="Of a game's key, the name that the catalogue of actions has for it.")
@why_option
@data_option
def rotate_command(kind: str, name: str, why: str | None, data: str | None) -> None:
    """Make a new key of the KIND action, client, game, jwt or master, and print its file.

    Those of the game are all believed until they are retired: give its servers the new one first. After one of a
    master key, `scoreboard key rewrap` lets go of the one before.
    """
    with explained(SecurityError, OSError):
        settings = set_up(data)
        with journaled(Path(settings.data_dir), KEY_ROTATED, why=why, kind=kind, name=name) as entry:
            made = keymaking.rotate(_folder(settings), kind, name=name)
            entry.tell(file=made.name)
        click.echo(made)


@key.command("add")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@why_option
@data_option
def add_command(name: str, file: BinaryIO, why: str | None, data: str | None) -> None:
    """Believe proofs under the Ed25519 key of which FILE (- for standard input) has the public half, as PEM.

    NAME is what `scoreboard action add --verifier ed25519 --key` calls it. Several keys may have one name.
    """
    with explained(SecurityError, OSError):
        settings = set_up(data)
        with journaled(Path(settings.data_dir), "KEY_ADDED", why=why, name=name) as entry:
            made = keymaking.register(_folder(settings), name, file.read())
            entry.tell(file=made.name)
        click.echo(made)


@key.command("list")
@data_option
def list_command(data: str | None) -> None:
    """Print all keys: file, what it does now, since when it is there."""
    with explained(SecurityError, OSError):
        settings = set_up(data)
        folder = KeyFolder(Path(settings.data_dir), key_times(settings))
        for file, does in folder.states(time.time()) if folder.path.exists() else ():
            since = datetime.fromtimestamp(file.made_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
            click.echo(f"{file.path.name}  {does}  {since}")


@key.command("retire")
@click.argument("name")
@why_option
@data_option
@postgres_option
def retire_command(name: str, why: str | None, data: str | None, postgres: str | None) -> None:
    """Believe the key NAME (a file, as `list` prints it) no more, at once, whatever was signed with it.

    For one of the game that is not used any more, and for one that somebody else may have read. A master key that wraps
    anything is not retired: `scoreboard key rewrap` first.
    """
    with explained(SecurityError, OSError):
        settings = set_up(data)
        if name.startswith(MASTER):
            _require_unused(name, data, postgres)
        with journaled(Path(settings.data_dir), "KEY_RETIRED", why=why, name=name) as entry:
            gone = keymaking.retire(_folder(settings), name)
            entry.tell(file=gone.name)
        click.echo(gone)


def _require_unused(name: str, data: str | None, postgres: str | None) -> None:
    file = Path(set_up(data).data_dir) / FOLDER / f"{name.removesuffix('.key')}.key"
    if file.is_file():
        master = master_id(parse_secret(read_private(file), str(file)))
        count = with_stores(data, postgres, lambda stores: wrapped_by(stores.database, master))
        if count:
            give_up(f"{name} wraps {count} keys of persons, which nobody could open without it: scoreboard key rewrap")


key.add_command(rewrap_command)


def _folder(settings: Settings) -> Path:
    folder = KeyFolder(Path(settings.data_dir), key_times(settings))
    folder.make()
    return folder.path
