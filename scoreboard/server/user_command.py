"""``scoreboard user``: what an operator does to players. The server may run; it hears of it within seconds."""

from __future__ import annotations

import click

from actors.ports import RoleChanged, UserId
from scoreboard.security.names import fold
from scoreboard.security.roles import ROLES
from scoreboard.server.acts import why_option
from scoreboard.server.offline import act, postgres_option, with_stores
from scoreboard.server.verbs import data_option, give_up
from scoreboard.stores.opening import Stores
from scoreboard.stores.trail import who_is


@click.group("user")
def user() -> None:
    """Look after players."""


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@why_option
@data_option
@postgres_option
def role_command(name: str, role: str, why: str | None, data: str | None, postgres: str | None) -> None:
    """Give the player NAME (or with that id) the role ROLE; so the first admin is made.

    All sessions of the player end by another role: the next sign-in has its permissions.
    """

    async def change(stores: Stores) -> bool:
        user_id = await who_is(stores.database, name, fold(name))
        if user_id is None:
            return False
        return isinstance(await stores.accounts.change_role(UserId(user_id), role, act(why)), RoleChanged)

    if not with_stores(data, postgres, change):
        give_up(f"there is no player {name!r}")
    click.echo(f"{name} is {role} now")
