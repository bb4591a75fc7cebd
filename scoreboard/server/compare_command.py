"""``scoreboard fraud compare``: a rehearsal of the watch on fraud before generated players."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from actors.fraud.world import FraudRules
from scoreboard.rehearsal import report
from scoreboard.rehearsal.stage import Mix, cast, play
from scoreboard.server.fraud import fraud_rules
from scoreboard.server.told import json_option
from scoreboard.server.verbs import MISTAKEN, explained, give_up, settings_of
from scoreboard.watch.errors import LearnerMissing, WatchError
from scoreboard.watch.trees import Trees

#: Where the output goes to no terminal.
WIDTH = 132
#: Single gaps, in seconds, breaks among them, more than three deviations from the mean.
AS_DOCUMENT_A: Mapping[str, Any] = {
    "break_s": math.inf,
    "run_length": 1,
    "in_logarithms": False,
    "runs_known": 30,
    "gap_z": 3.0,
}


@click.command("compare")
@click.option("--seed", type=int, default=1, show_default=True, help="All chance comes from it.")
@click.option("--players", type=click.IntRange(20, 100_000), default=200, show_default=True, help="In all.")
@click.option("--cheats", type=click.FloatRange(0.01, 0.99), default=0.15, show_default=True, help="Their share.")
@click.option("--hours", type=click.FloatRange(1, 24 * 365), default=168.0, show_default=True, help="That they play.")
@click.option("--literal", is_flag=True, help="Judge gaps as document A has it: one by one, in seconds.")
@json_option
def compare_command(seed: int, players: int, cheats: float, hours: float, *, literal: bool, as_json: bool) -> None:
    """Let honest players and cheats play before the watch, by chance, and print how well it tells them apart.

    Rules and bounds are those of the settings (SCOREBOARD_FRAUD_...), with the learner if it is installed. Needs no
    server, and touches none. A player counts as found if anything was found with it, however often.
    """
    mix = Mix(seed, players, cheats, hours)
    rules = _rules(seed, literal=literal)
    found = cast(mix)
    with _progress(hours) as told:
        play(found, mix, rules, told)
    if as_json:
        click.echo(json.dumps(report.as_json(found, mix, rules.policy), indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for table in report.tables(found, rules.policy):
        console.print(table)


def _rules(seed: int, *, literal: bool) -> FraudRules:
    settings = settings_of(None, {"fraud.enabled": True, "limits.enabled": True})
    with explained(WatchError, status=MISTAKEN):
        rules = fraud_rules(settings, b"rehearsal")
    if rules is None:
        give_up("nothing is watched", status=MISTAKEN)
    try:
        rules = replace(rules, learner=Trees(seed))
    except LearnerMissing:
        click.echo("Without the learner, which is not installed (the extra `learner`).", err=True)
    return replace(rules, policy=replace(rules.policy, **AS_DOCUMENT_A)) if literal else rules


@contextmanager
def _progress(hours: float) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal; nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} hours"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("playing", total=hours)
        shown = 0.0

        def told(hour: float) -> None:
            nonlocal shown
            if hour - shown >= hours / 1000:
                shown = hour
                bar.update(task, completed=hour)

        yield told
