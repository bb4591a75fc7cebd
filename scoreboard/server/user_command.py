"""``scoreboard user``: what an operator does to players. The server may run; it hears of it within seconds."""

from __future__ import annotations

import click

from actors.ports import RoleChanged, UserId
from scoreboard.security.names import fold
from scoreboard.security.passwords import nobodys
from scoreboard.security.roles import ROLES
from scoreboard.server.acts import why_option
from scoreboard.server.offline import act, announced, postgres_option, redis_option, with_stores
from scoreboard.server.verbs import data_option, give_up
from scoreboard.stores.opening import Stores
from scoreboard.stores.trail import who_is

#: Of a password that nobody has.
LOW_COST = 4


@click.group("user")
def user() -> None:
    """Look after players."""


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@why_option
@data_option
@postgres_option
@redis_option
def role_command(
    name: str, role: str, why: str | None, data: str | None, postgres: str | None, redis: str | None
) -> None:
    """Give the player NAME (or with that id) the role ROLE; so the first admin is made.

    All sessions of the player end by another role, on all workers within two seconds if there is Redis between them:
    the next sign-in has its permissions.
    """

    async def change(stores: Stores) -> bool:
        user_id = await who_is(stores.database, name, fold(name))
        if user_id is None:
            return False
        return isinstance(await stores.accounts.change_role(UserId(user_id), role, act(why)), RoleChanged)

    if not announced(data, postgres, redis, change):
        give_up(f"there is no player {name!r}")
    click.echo(f"{name} is {role} now")


@user.command("erase")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@why_option
@data_option
@postgres_option
@redis_option
def erase_command(
    name: str, why: str | None, data: str | None, postgres: str | None, redis: str | None, *, yes: bool
) -> None:
    """Erase what is known of the player NAME (or with that id). Nothing takes it back.

    E-mail address, name, password, country and picture go, and the key under which all addresses and agents of the
    player stand, in scores, proofs, sessions and audit: what is left of them can be opened by nobody. Sessions end. The
    scores stay in the ledger under a name like erased-0123456789ab, and are on no board. The e-mail address and the
    name can be taken again. Old backups hold the key: they must go too.
    """

    async def find(stores: Stores) -> str | None:
        return await who_is(stores.database, name, fold(name))

    found = with_stores(data, postgres, find)
    if found is None:
        give_up(f"there is no player {name!r}")
    user_id = UserId(found)
    if not yes:
        click.confirm(f"Erase {name!r} ({user_id}) for ever?", abort=True)

    async def erase(stores: Stores) -> bool:
        return await stores.erasure.erase(user_id, neutral_name(user_id), nobodys(LOW_COST), act(why))

    announced(data, postgres, redis, erase)
    click.echo(f"{name} is erased: {neutral_name(user_id)} is left of it. Backups from before still hold the key.")


def neutral_name(user_id: str) -> str:
    """What the account of an erased player is called."""
    return f"erased-{user_id.rpartition('-')[2]}"
