"""``scoreboard fraud compare``: a rehearsal of the watch on fraud before generated players."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from actors.fraud.policy import Policy
from scoreboard.rehearsal import report
from scoreboard.rehearsal.report import Rehearsal
from scoreboard.rehearsal.stage import Mix
from scoreboard.server.rehearsing import rehearsed, rules_here
from scoreboard.server.told import json_option
from scoreboard.server.verbs import MISTAKEN, explained, give_up
from scoreboard.watch.errors import LearnerMissing, WatchError
from scoreboard.watch.trees import Trees

#: Where the output goes to no terminal.
WIDTH = 132
#: So many seeds are more than anybody waits for.
MOST_SEEDS = 100
#: Single gaps, in seconds, breaks among them, more than three deviations from the mean.
AS_DOCUMENT_A: Mapping[str, Any] = {
    "break_s": math.inf,
    "run_length": 1,
    "in_logarithms": False,
    "runs_known": 30,
    "gap_z": 3.0,
}


class Seeds(click.ParamType[Any]):
    """``1-4`` or ``7`` or ``1-2,9``; ``none``."""

    name = "seeds"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """In the order given, each once."""
        if isinstance(value, tuple):
            return value
        found: dict[int, None] = {}
        for part in value.split(",") if value != "none" else ():
            first, dash, last = part.partition("-")
            if not first.isdecimal() or not (last if dash else first).isdecimal():
                self.fail(f"{value!r} is no list of seeds like 1-4 or 7,9", param, ctx)
            found.update(dict.fromkeys(range(int(first), min(int(last or first), int(first) + MOST_SEEDS) + 1)))
        if len(found) > MOST_SEEDS:
            self.fail(f"{value!r} are more than {MOST_SEEDS} seeds", param, ctx)
        return tuple(found)


@click.command("compare")
@click.option("--choose", type=Seeds(), default="1-4", show_default=True, help="Seeds that bounds are chosen on; none.")
@click.option("--report", "reported", type=Seeds(), default="101-108", show_default=True, help="Seeds reported on.")
@click.option("--players", type=click.IntRange(20, 100_000), default=200, show_default=True, help="In all, of a seed.")
@click.option("--cheats", type=click.FloatRange(0.01, 0.99), default=0.15, show_default=True, help="Their share.")
@click.option("--hours", type=click.FloatRange(1, 24 * 365), default=168.0, show_default=True, help="That they play.")
@click.option("--jobs", type=click.IntRange(1), help="Seeds played at once.  [default: as many as processors]")
@click.option("--literal", is_flag=True, help="Judge gaps as document A has it: one by one, in seconds.")
@json_option
def compare_command(  # noqa: PLR0913 - an option each
    choose: tuple[int, ...],
    reported: tuple[int, ...],
    players: int,
    cheats: float,
    hours: float,
    jobs: int | None,
    *,
    literal: bool,
    as_json: bool,
) -> None:
    """Let honest players and cheats play before the watch, by chance, and print how well it tells them apart.

    Rules and bounds are those of the settings (SCOREBOARD_FRAUD_...), with the learner if it is installed. Beside that,
    bounds are chosen by the players of some seeds; both are reported on by those of others, whom no bound was chosen
    by. A player counts as found if anything was found with it, however often. Needs no server, and touches none.
    """
    if not reported or set(choose) & set(reported):
        give_up("a seed is either one to choose on or one to report on, and of these there is one", status=MISTAKEN)
    changes = AS_DOCUMENT_A if literal else {}
    policy = _policy(changes)
    mixes = [Mix(seed, players, cheats, hours) for seed in (*choose, *reported)]
    with _progress(len(mixes)) as told:
        traces = rehearsed(mixes, changes, jobs or os.cpu_count() or 1, told)
    found = Rehearsal({seed: traces[seed] for seed in choose}, {seed: traces[seed] for seed in reported}, policy)
    _print(found, Mix(0, players, cheats, hours), as_json=as_json)


def _print(found: Rehearsal, mix: Mix, *, as_json: bool) -> None:
    if as_json:
        told = {"players": mix.players, "cheats": mix.cheats, "hours": mix.hours, **report.as_json(found)}
        click.echo(json.dumps(told, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for table in report.tables(found):
        console.print(table)


def _policy(changes: Mapping[str, Any]) -> Policy:
    with explained(WatchError, status=MISTAKEN):
        rules = rules_here(changes)
    if rules is None:
        give_up("nothing is watched", status=MISTAKEN)
    try:
        Trees(0)
    except LearnerMissing:
        click.echo("Without the learner, which is not installed (the extra `learner`).", err=True)
    return rules.policy


@contextmanager
def _progress(mixes: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line for each seed elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total} seeds"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("playing", total=mixes)

        def told(done: int) -> None:
            bar.update(task, completed=done)
            if not console.is_terminal:
                click.echo(f"played {done} of {mixes} seeds", err=True)

        yield told
