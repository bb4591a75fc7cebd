"""``scoreboard action``: what can be done for points. A server that runs learns of changes within a minute."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from actors.ports import HMAC, ActionKind
from scoreboard.server.offline import data_option, postgres_option, with_stores
from scoreboard.stores.postgres_catalogue import PostgresActionCatalogue

R = TypeVar("R")

MOST_POINTS = 1000  # a score update may not say more


@click.group("action")
def action() -> None:
    """Say what players can do for points, and what it is worth.

    That it was done is proven by the game's server with the key in keys/game-<n>.key of the data directory.
    """


@action.command("add")
@click.argument("name")
@click.option("--points", type=click.IntRange(1, MOST_POINTS), required=True, help="What it is worth.")
@click.option("--description", help="What people read of it.")
@click.option("--verifier", type=click.Choice([HMAC]), default=HMAC, show_default=True, help="How it is proven.")
@data_option
@postgres_option
def add_command(
    name: str, points: int, description: str | None, verifier: str, data: str | None, postgres: str | None
) -> None:
    """Let the action NAME count, or change what it is worth."""
    if not name.isascii() or not name.replace("_", "").isalnum() or len(name) > 50 or name != name.upper():  # noqa: PLR2004 - as the API has it
        raise click.BadParameter("1 to 50 capitals, digits and underscores, like COMPLETE_QUEST", param_hint="NAME")
    kind = ActionKind(name, points, description, verifier)
    _run(data, postgres, lambda catalogue: catalogue.put(kind))
    click.echo(f"{name} is worth {points}")


@action.command("list")
@data_option
@postgres_option
def list_command(data: str | None, postgres: str | None) -> None:
    """Print what counts: name, points, how it is proven, description."""
    for kind in _run(data, postgres, lambda catalogue: catalogue.kinds()):
        click.echo(f"{kind.action_type}  {kind.points}  {kind.verifier}  {kind.description or ''}".rstrip())


@action.command("retire")
@click.argument("name")
@data_option
@postgres_option
def retire_command(name: str, data: str | None, postgres: str | None) -> None:
    """Let the action NAME count no more. What was scored stays."""
    if not _run(data, postgres, lambda catalogue: catalogue.retire(name)):
        click.echo(f"scoreboard: there is no action {name!r}; scoreboard action list shows all", err=True)
        sys.exit(1)
    click.echo(f"{name} does not count any more")


def _run(data: str | None, postgres: str | None, work: Callable[[PostgresActionCatalogue], Awaitable[R]]) -> R:
    return with_stores(data, postgres, lambda stores: work(stores.catalogue))
