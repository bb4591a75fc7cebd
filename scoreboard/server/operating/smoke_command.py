"""``scoreboard smoke``: whether a running server does what it is there for."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import click
import trio

from actors.ports import UserId
from scoreboard.security.names import fold
from scoreboard.security.passwords import nobodys
from scoreboard.server.offline import act, announced, postgres_option
from scoreboard.server.operating.asking import NOT_RUNNING
from scoreboard.server.user_command import LOW_COST, neutral_name
from scoreboard.server.verbs import FAILED, give_up
from scoreboard.smoke.look import Guest, Smokes, Unreachable, look
from scoreboard.stores.opening import Stores
from scoreboard.stores.trail import who_is


@click.command("smoke")
@click.argument("url", default="http://127.0.0.1:8000")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="Whom to trust, in PEM.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Erase the player there at the end.")
@postgres_option
def smoke_command(url: str, ca: str | None, data: Path | None, postgres: str | None) -> None:
    """Sign up at a running server, score, see it on the live feed, and leave.

    The player, smoke- and twelve random letters, is left at the end of the board with its point, unless the server's
    data directory is named with --data, or its database with --postgres: then it is erased, and is on no board. Ends
    with 0 if all of it works, with 1 if something does not, with 3 if nobody answers.
    """
    guest, status = Guest.fresh(), 0
    tls = None if ca is None else ssl.create_default_context(cafile=ca)
    try:
        trio.run(look, url, guest, tls, click.echo)
    except Unreachable as error:
        give_up(str(error), status=NOT_RUNNING)
    except Smokes as error:
        click.echo(f"scoreboard: {error}", err=True)
        status = FAILED
    _clear_away(guest, data, postgres)
    sys.exit(status)


def _clear_away(guest: Guest, data: Path | None, postgres: str | None) -> None:
    if data is None and postgres is None:
        click.echo(f"{guest.name} stays on the board; to have it erased: scoreboard user erase {guest.name} --yes")
        return

    async def erase(stores: Stores) -> bool:
        found = await who_is(stores.database, guest.name, fold(guest.name))
        if found is None:
            return False
        user_id, why = UserId(found), "a smoke test is over"
        return await stores.erasure.erase(user_id, neutral_name(user_id), nobodys(LOW_COST), act(why))

    if announced(None if data is None else str(data), postgres, None, erase):
        click.echo(f"{guest.name} is erased, and on no board")
