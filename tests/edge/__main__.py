"""Sends cases of the mutator to a server of its own: all that have these numbers, or one to look at."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import trio

from tests.edge.mutator import CASES, case
from tests.edge.volley import answer_to, volley
from tests.served import served


@click.command()
@click.option("--case", "one", type=int, help="Show this one, and what it is told.")
@click.option("--cases", type=(int, int), default=(0, CASES), help="From the first number up to the second.")
def main(one: int | None, cases: tuple[int, int]) -> None:
    """Begin a server, send, tell."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "data") as server:
        if one is not None:
            click.echo(f"{case(one).sent!r}\n\n{trio.run(answer_to, server.port, case(one).sent)!r}")
        else:
            outcome = trio.run(volley, server.port, map(case, range(*cases)))
            click.echo(f"{dict(outcome.statuses)}, {outcome.silent} told nothing")
            for number, wrong in outcome.wrong.items():
                click.echo(f"case {number} {wrong}")
        click.echo("".join(line for line in server.log.read_text().splitlines(keepends=True) if _is_told(line)))


def _is_told(line: str) -> bool:
    return '"level": "warning"' in line or '"level": "error"' in line


if __name__ == "__main__":
    main(prog_name="python -m tests.edge")
