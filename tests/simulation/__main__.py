"""Runs many seeds in two processes, or one again with everything that happens in it."""

from __future__ import annotations

import sys
from multiprocessing import get_context
from time import monotonic

import click

from tests.simulation.simulation import simulate
from tests.simulation.soak import Outcome, outcomes_of, pieces, told


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many.")
@click.option("--first", default=0, show_default=True, help="The first of them.")
@click.option("--seed", type=int, help="Only this one, with all that happens in it.")
@click.option("--processes", default=2, show_default=True)
def main(seeds: int, first: int, seed: int | None, processes: int) -> None:
    """Simulate several workers, each seed another history. Status 1 if a law was broken."""
    if seed is not None:
        click.echo(repr(simulate(seed, tell=click.echo)))
        return
    began, found = monotonic(), list[Outcome]()
    with get_context("spawn").Pool(processes) as pool:
        for outcomes in pool.imap_unordered(outcomes_of, pieces(first, seeds)):
            found += outcomes
            for each in outcomes:
                if each.report is None:
                    click.echo(f"\nseed {each.seed}:\n{each.failure}")
            click.echo(
                f"\r{len(found)} of {seeds} seeds, {sum(each.report is None for each in found)} broken", nl=False
            )
    click.echo()
    for line in told(sorted(found), monotonic() - began):
        click.echo(line)
    sys.exit(any(each.report is None for each in found))


if __name__ == "__main__":
    main()
