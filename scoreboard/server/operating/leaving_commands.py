"""``scoreboard drain`` and ``scoreboard reload``: clients are seen off in waves, and what was begun is finished."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scoreboard.server.operating.farewell import LONGEST_S
from scoreboard.server.operating.following import follow
from scoreboard.server.operating.renewal import READ_WITHIN_S
from scoreboard.server.verbs import data_option, settings_of

#: Between two things that a server tells: a worker has this for its boards, and some time to end.
TOLD_WITHIN_S = 240.0

Seconds = click.FloatRange(0, LONGEST_S)
worker_option = click.option("--worker", type=click.IntRange(1, 64), help="Only this one.  [default: all]")
over_option = click.option(
    "--over", type=Seconds, default=5.0, show_default=True, help="Close live connections in waves over so many seconds."
)


@click.command("drain")
@worker_option
@over_option
@click.option("--notice", type=Seconds, default=0.0, show_default=True, help="Answer 503 at /ready for so long before.")
@data_option
def drain_command(data: str | None, worker: int | None, over: float, notice: float) -> None:
    """Let a running server, or one worker, finish and end, seeing its clients off.

    Nobody new is let in, what was begun is finished, live connections are closed in waves. Waits for the end. Without
    --worker the whole server ends. A worker that is drained stays away until it is reloaded. Asked twice, both wait for
    the same. Ends with 0 when it is done, with 1 if it could not be, with 3 if no server runs.
    """
    within_s = over + notice + TOLD_WITHIN_S
    data_dir = Path(settings_of(data).data_dir)
    sys.exit(follow(data_dir, "drain", within_s=within_s, over_s=over, notice_s=notice, worker=worker))


@click.command("reload")
@worker_option
@over_option
@data_option
def reload_command(data: str | None, worker: int | None, over: float) -> None:
    """Replace the workers of a running server one by one, by new code and settings.

    A successor comes before its predecessor goes; whoever repeats a request that broke is served. It stops at the first
    worker whose successor does not serve, says why, and that one and the others stay as they were. The parent, the
    stores and the port itself are not renewed. One worker can be, if it was started with --renewable.
    Ends with 0 when all are, with 1 if not, with 3 if no server runs.
    """
    data_dir = Path(settings_of(data).data_dir)
    sys.exit(follow(data_dir, "reload", within_s=over + TOLD_WITHIN_S + READ_WITHIN_S, over_s=over, worker=worker))
