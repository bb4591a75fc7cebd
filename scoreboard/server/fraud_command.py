"""``scoreboard fraud``: what rules found with players, and how well they do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import click

from actors.fraud.policy import RULE_NAMES
from actors.ports import FraudEvent, UserId
from scoreboard.security.names import fold
from scoreboard.server.compare_command import compare_command
from scoreboard.server.offline import postgres_option, with_stores
from scoreboard.server.told import iso, json_option, limit_option, moment_us, plain, since_option
from scoreboard.server.verbs import data_option, give_up
from scoreboard.stores.opening import Stores
from scoreboard.stores.trail import names_of, who_is


@click.group("fraud")
def fraud() -> None:
    """Look into what the watch on fraud found, and how well it finds."""


@fraud.command("events")
@click.option("--user", metavar="NAME", help="Only of this player, by name or id.")
@click.option("--rule", type=click.Choice(RULE_NAMES), help="Only what this rule found.")
@since_option
@limit_option
@json_option
@data_option
@postgres_option
def events_command(
    user: str | None,
    rule: str | None,
    since: str,
    limit: int,
    data: str | None,
    postgres: str | None,
    *,
    as_json: bool,
) -> None:
    """Print what was found with players, the oldest first: when, with whom, how bad, what follows, by which rule, why.

    What followed of it stands in the audit. The server may run meanwhile.
    """
    since_us = moment_us(since)

    async def work(stores: Stores) -> tuple[list[FraudEvent], Mapping[str, str]] | None:
        user_id = None if user is None else await who_is(stores.database, user, fold(user))
        if user is not None and user_id is None:
            return None
        chosen = None if user_id is None else UserId(user_id)
        found = await stores.fraud.found(user_id=chosen, rule=rule, since_us=since_us, limit=limit)
        return found, await names_of(stores.database, {event.user_id for event in found})

    told = with_stores(data, postgres, work)
    if told is None:
        give_up(f"there is no player {user!r}")
    found, names = told
    for event in reversed(found):
        name = names.get(event.user_id, event.user_id)
        click.echo(json.dumps(asdict(event) | {"username": name}) if as_json else _readable(event, name))


fraud.add_command(compare_command)


def _readable(event: FraudEvent, name: str) -> str:
    """One finding for people."""
    times = "" if event.times == 1 else f" {event.times} times"
    ruled = f"{event.severity.value}, {event.consequence.value}"
    return f"{iso(event.at_us)}  {plain(name)}  {ruled}  {event.rule}{times}: {plain(event.explanation)}"
