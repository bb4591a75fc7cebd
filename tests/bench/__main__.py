"""The command line of the bench; `scripts/bench` sets up what it needs and runs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench import machine, plot
from tests.bench.figure import Measure, Options, Reading, last_curves, rows_of
from tests.bench.measures import (
    abuse,
    around,
    batch,
    compressed,
    exactness,
    guard,
    hold,
    joins,
    lag,
    ranking,
    reads,
    restart,
    rollover,
    socket,
    socketio_fanout,
    spray,
    stages,
    stopped,
    storm,
    versus_fanout,
    versus_rest,
    workers,
)
from tests.bench.measures.abuse import AbuseMeasure
from tests.bench.measures.around import AroundMeasure
from tests.bench.measures.batch import BatchMeasure
from tests.bench.measures.compressed import CompressedMeasure
from tests.bench.measures.cycles import CyclesMeasure
from tests.bench.measures.exactness import ExactnessMeasure
from tests.bench.measures.fanout import FanoutMeasure
from tests.bench.measures.guard import GuardMeasure
from tests.bench.measures.hold import HoldMeasure
from tests.bench.measures.joins import JoinsMeasure
from tests.bench.measures.lag import LagMeasure
from tests.bench.measures.memory import MemoryMeasure
from tests.bench.measures.ranking import RankingMeasure
from tests.bench.measures.reads import ReadsMeasure
from tests.bench.measures.restart import RestartMeasure
from tests.bench.measures.rollover import RolloverMeasure
from tests.bench.measures.screen import ScreenMeasure
from tests.bench.measures.socket import SocketMeasure
from tests.bench.measures.socketio_fanout import SocketIoFanoutMeasure
from tests.bench.measures.spray import SprayMeasure
from tests.bench.measures.stopped import StoppedMeasure
from tests.bench.measures.storm import StormMeasure
from tests.bench.measures.top import TopMeasure
from tests.bench.measures.versus_fanout import VersusFanoutMeasure
from tests.bench.measures.versus_rest import VersusRestMeasure
from tests.bench.measures.workers import WorkersMeasure
from tests.bench.peers import programs
from tests.bench.report import Report
from tests.bench.scoreboard_subject import running

PIPED_WIDTH = 132
OUT = Path(__file__).parent / "out"
MEASURES: tuple[Callable[..., Measure], ...] = (
    CyclesMeasure,
    FanoutMeasure,
    ScreenMeasure,
    MemoryMeasure,
    VersusRestMeasure,
    SocketMeasure,
    VersusFanoutMeasure,
    RankingMeasure,
    RestartMeasure,
    ReadsMeasure,
    LagMeasure,
    StoppedMeasure,
    HoldMeasure,
    JoinsMeasure,
    StormMeasure,
    ExactnessMeasure,
    TopMeasure,
    BatchMeasure,
    AroundMeasure,
    RolloverMeasure,
    SocketIoFanoutMeasure,
    CompressedMeasure,
    GuardMeasure,
    SprayMeasure,
    WorkersMeasure,
    AbuseMeasure,
)
BY_DEFAULT = ("cycles", "top", "screen", "memory", stages.NAME, versus_rest.NAME, socket.NAME, versus_fanout.NAME)
#: Only when asked for: `versus-fanout` measures the same as `fanout` of our server; `ranking` takes ten minutes and
#: 3 GB; `restart`, `reads` and `rollover` fill a database with a million players; those of connections open up to
#: 11,000; `batch` fills a database with scores, beside `pgbench`; `guard` starts seven servers.
BY_NAME = (
    "fanout",
    ranking.NAME,
    restart.NAME,
    reads.NAME,
    lag.NAME,
    stopped.NAME,
    hold.NAME,
    joins.NAME,
    storm.NAME,
    exactness.NAME,
    batch.NAME,
    around.NAME,
    rollover.NAME,
    socketio_fanout.NAME,
    compressed.NAME,
    guard.NAME,
    spray.NAME,
    workers.NAME,
    abuse.NAME,
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BY_DEFAULT + BY_NAME))
@click.option("--rounds", type=click.IntRange(1, 100), help="How often each is measured.  [default: 5]")
@click.option("--viewers", type=click.IntRange(1, 15_000), help="Live clients at once.  [default: 1000]")
@click.option("--hold-s", type=click.IntRange(4, 3600), help="How long `hold` holds connections.  [default: 30]")
@click.option("--quick", is_flag=True, help="Two short rounds with 200 clients: to see that everything works.")
def main(names: tuple[str, ...], rounds: int | None, viewers: int | None, hold_s: int | None, *, quick: bool) -> None:
    """Measure NAMES (without any: all that take no special patience) and print and save what was found."""
    options = Options(rounds=2, window_s=2.0, viewers=200, hold_s=8.0) if quick else Options()
    options = replace(options, rounds=rounds or options.rounds, viewers=viewers or options.viewers)
    options = replace(options, hold_s=hold_s or options.hold_s)
    wanted = set(names or BY_DEFAULT)
    OUT.mkdir(exist_ok=True)
    report = Report({**machine.describe(), "load before": machine.load(), "rounds": _in_words(options)})
    chosen = [measure for make in MEASURES if wanted & set((measure := make(running, options)).names)]
    run(chosen, options, report, profile=stages.NAME in wanted)
    report.machine["load after"] = machine.load()
    report.machine |= _peers(chosen)
    console = Console()
    report.show(console if console.is_terminal else Console(width=PIPED_WIDTH))
    path = OUT / "-".join(["bench", *names])  # a run of a part leaves the whole one's files alone
    report.save(path.with_suffix(".json"))
    plot.save(report, path.with_suffix(".png"))
    click.echo(f"saved {path}.json and {path}.png")


def run(chosen: list[Measure], options: Options, report: Report, *, profile: bool) -> None:
    """Measure in interleaved rounds, so that what disturbs the machine for a while disturbs all measures alike."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as scope:
        progress = scope.enter_context(Progress(*columns, console=console))
        steps = progress.add_task("", total=len(chosen) * (2 + options.rounds) + profile)

        def begin(what: str) -> None:
            progress.update(steps, description=what)

        if profile:
            begin("where the time goes")
            report.profile = stages.take(options, OUT / "stacks.folded")
            progress.advance(steps)
        for measure in chosen:
            begin(f"{_name(measure)}: starting a server")
            scope.enter_context(measure)
            progress.advance(steps)
            begin(f"{_name(measure)}: warming up")
            measure.warm_up()
            progress.advance(steps)
        readings: dict[str, list[Reading]] = {_name(measure): [] for measure in chosen}
        for number in range(options.rounds):
            for measure in chosen:
                begin(f"{_name(measure)}: round {number + 1} of {options.rounds}")
                readings[_name(measure)].append(measure.round(number))
                progress.advance(steps)
    for measure in chosen:
        report.rows[_name(measure)] = rows_of(measure, readings[_name(measure)])
        report.curves.update(last_curves(readings[_name(measure)]))


_VERSUS = VersusRestMeasure | SocketMeasure | VersusFanoutMeasure | SocketIoFanoutMeasure


def _peers(chosen: list[Measure]) -> dict[str, str]:
    """What we were compared with, and whom not, and why."""
    versus = [measure for measure in chosen if isinstance(measure, _VERSUS)]
    left_out = {name: reason for measure in versus for name, reason in measure.left_out.items()}
    return {
        **({"peers": programs.describe()} if versus else {}),
        **({"left out": "; ".join(f"{name}: {reason}" for name, reason in left_out.items())} if left_out else {}),
    }


def _name(measure: Measure) -> str:
    return ", ".join(measure.names)


def _in_words(options: Options) -> str:
    return (
        f"{options.rounds} of {options.window_s:g} s a window, "
        f"{options.players} players at once, {options.viewers:,} live clients"
    )


if __name__ == "__main__":
    main(prog_name="scripts/bench")
