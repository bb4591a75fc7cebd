"""``scoreboard key rewrap``: the keys of persons under the newest master key."""

from __future__ import annotations

import time
from pathlib import Path

import click

from scoreboard.security.errors import SecurityError
from scoreboard.security.keyfolder import KeyFolder
from scoreboard.security.keys import MASTER
from scoreboard.server.acts import why_option
from scoreboard.server.keychain import key_times
from scoreboard.server.offline import postgres_option, record_of, with_stores
from scoreboard.server.verbs import data_option, explained, give_up, set_up
from scoreboard.settings import Settings
from scoreboard.stores.opening import Stores
from scoreboard.stores.personal_rewrap import rewrap


@click.command("rewrap")
@why_option
@data_option
@postgres_option
def rewrap_command(why: str | None, data: str | None, postgres: str | None) -> None:
    """Wrap the keys of all persons under the newest master key, after `scoreboard key rotate master`.

    Servers may run meanwhile. If it is stopped, begin it again: it goes on where it was. A new master key is used when
    it has settled, as every key; what it says is how many keys were under another one. Then that one can be retired.
    """
    _require_settled(set_up(data))

    async def work(stores: Stores) -> int:
        count = await rewrap(stores.database, stores.personal.vault, _tell)
        await stores.audit.record([record_of("KEYS_REWRAPPED", why, keys=count)])
        return count

    count = with_stores(data, postgres, work)
    click.echo(f"{count} keys are wrapped anew; no earlier master key is needed any more")


def _require_settled(settings: Settings) -> None:
    """Otherwise all would stay as it is, under the key that is to go."""
    with explained(SecurityError, OSError):
        states = KeyFolder(Path(settings.data_dir), key_times(settings)).states(time.time())
    masters = [(file, does) for file, does in states if file.path.stem.startswith(f"{MASTER}-")]
    newest = max(masters, key=lambda each: each[0].number, default=None)
    if newest is not None and newest[1] != "wraps":
        name = newest[0].path.name
        give_up(f"{name} is too new: servers use it {settings.keys.settle_s:g} s after it was made. Try again then.")


def _tell(done: int, of: int) -> None:
    click.echo(f"{done} of {of}", err=True)
