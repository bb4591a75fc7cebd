"""``scoreboard action``: what can be done for points. A server that runs learns of changes within a minute."""

from __future__ import annotations

from typing import Any

import click

from actors.ports import ED25519, GAME_KEY, HMAC, MOST_EARLIER, ActionKind
from scoreboard.server.acts import why_option
from scoreboard.server.offline import postgres_option, record_of, with_stores
from scoreboard.server.verbs import data_option, give_up

LONGEST_S = 30 * 24 * 3600
MOST_POINTS = 1000  # a score update may not say more


@click.group("action")
def action() -> None:
    """Say what players can do for points, and what it is worth.

    That it was done is proven by the game's server: with the key in keys/game-<n>.key of the data directory, or with
    another that `scoreboard key` has made or registered.
    """


@action.command("add")
@click.argument("name")
@click.option("--points", type=click.IntRange(1, MOST_POINTS), required=True, help="What it is worth.")
@click.option("--description", help="What people read of it.")
@click.option(
    "--verifier", type=click.Choice([HMAC, ED25519]), default=HMAC, show_default=True, help="How it is proven."
)
@click.option("--key", default=GAME_KEY, show_default=True, help="The name of the key that proves it; see key list.")
@click.option("--least-s", type=click.FloatRange(0, LONGEST_S), default=0.0, help="No player can do two within it.")
@click.option("--most", type=click.IntRange(1, MOST_EARLIER), help="How often a player can do it within a window.")
@click.option("--window-s", type=click.FloatRange(1, LONGEST_S), default=60.0, show_default=True, help="The window.")
@click.option("--honeypot", is_flag=True, help="Told to nobody and worth nothing: who completes it made it up.")
@why_option
@data_option
@postgres_option
def add_command(name: str, *, why: str | None, data: str | None, postgres: str | None, **given: Any) -> None:
    """Let the action NAME count, or change what is said of it."""
    if not name.isascii() or not name.replace("_", "").isalnum() or len(name) > 50 or name != name.upper():  # noqa: PLR2004 - as the API has it
        raise click.BadParameter("1 to 50 capitals, digits and underscores, like COMPLETE_QUEST", param_hint="NAME")
    kind = ActionKind(name, **given)

    record = record_of("ACTION_PUT", why, **kind._asdict())
    with_stores(data, postgres, lambda stores: stores.catalogue.put(kind, record))
    click.echo(_line(kind))


@action.command("list")
@data_option
@postgres_option
def list_command(data: str | None, postgres: str | None) -> None:
    """Print what counts: name, points, how and with whose key it is proven, how often it can be, description."""
    for kind in with_stores(data, postgres, lambda stores: stores.catalogue.kinds()):
        click.echo(_line(kind))


def _line(kind: ActionKind) -> str:
    pace = [f"least {kind.least_s:g} s"] if kind.least_s else []
    pace += [] if kind.most is None else [f"most {kind.most} in {kind.window_s:g} s"]
    told = ["honeypot"] if kind.honeypot else []
    words = [kind.action_type, str(kind.points), f"{kind.verifier}:{kind.key}", *pace, *told, kind.description or ""]
    return "  ".join(words).rstrip()


@action.command("retire")
@click.argument("name")
@why_option
@data_option
@postgres_option
def retire_command(name: str, why: str | None, data: str | None, postgres: str | None) -> None:
    """Let the action NAME count no more. What was scored stays."""
    record = record_of("ACTION_RETIRED", why, action_type=name)
    if not with_stores(data, postgres, lambda stores: stores.catalogue.retire(name, record)):
        give_up(f"there is no action {name!r}; scoreboard action list shows all")
    click.echo(f"{name} does not count any more")
