"""The command ``scoreboard replay``."""

from __future__ import annotations

import math
import random
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import trio
from rich.console import Console

from scoreboard.replay.client import Api, checked_url, open_http
from scoreboard.replay.entries import Header
from scoreboard.replay.errors import InputError, ReplayError
from scoreboard.replay.football import Football, Season, find_division, read_football, select_season
from scoreboard.replay.journal import Journal
from scoreboard.replay.plan import Plan, slug
from scoreboard.replay.player import Pace, Replay
from scoreboard.replay.progress import Reporter, reporter_for
from scoreboard.replay.report import Comparison, render, verdict

EXIT_AGREE, EXIT_DIFFER, EXIT_IMPOSSIBLE, EXIT_INTERRUPTED = 0, 1, 2, 130
SHOWN_ROWS = 5


def read_speed(_ctx: click.Context, _param: click.Parameter, text: str) -> float | None:
    """Matches a second, or ``max`` for no limit (None)."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not (math.isfinite(speed) and speed > 0):
        raise click.BadParameter(f"{text!r} is neither a number of matches a second nor max.")
    return speed


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for, as it was written."""

    file: Path
    season: str
    division: str
    url: str
    matches_per_s: float | None
    concurrency: int
    journal: Path | None
    password: str | None
    patience_s: float


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--season", required=True, metavar="YEARS", help="The season to play, as in 2015-16.")
@click.option("--division", required=True, metavar="NAME", help='Its league, as in "Premier League".')
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the server listens.")
@click.option(
    "--speed",
    "matches_per_s",
    callback=read_speed,
    metavar="N|max",
    default="20",
    show_default=True,
    help="Matches a second, or max.",
)
@click.option("--concurrency", type=click.IntRange(1, 1000), default=16, show_default=True, help="Requests at once.")
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help="Where to remember what was played.")
@click.option("--password", envvar="SCOREBOARD_REPLAY_PASSWORD", help="For all team accounts [default: random ones].")
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for a server that does not answer.",
)
@click.pass_context
def replay(ctx: click.Context, /, **options: Any) -> None:
    """Play a season of real football through the public API of a running server.

    Every team of FILE becomes a player, and every league point one action token and one increment. Stop it whenever you
    like: the same command goes on where it was, and no point is counted twice. At the end the table of the server is
    printed beside the one computed from the file. Exits with 0 if they agree, 1 if they differ, 2 if the replay could
    not be done, and 130 if it was interrupted.
    """
    ctx.exit(play_file(Wish(**options), Console()))


def play_file(wish: Wish, console: Console) -> int:
    """Do the whole of it and return the exit code. Whatever goes wrong is told in a sentence on standard error."""
    code = EXIT_IMPOSSIBLE
    try:
        url = checked_url(wish.url)
        football = _read(wish.file)
        division = find_division(wish.division, football)
        season = Season.parse(wish.season)
        plan = Plan(season, division, select_season(football, division, season))
        _introduce(console, wish.file, football, plan)
        code = trio.run(_replay, wish, url, plan, console)
    except* ReplayError as errors:
        click.echo(f"Error: {_first(errors)}", err=True)
    except* KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    return code


def default_journal_name(plan: Plan, url: str) -> str:
    """A name that says what was played where, so that different replays do not meet in one journal."""
    return f"replay-{slug(plan.division)}-{plan.season}-at-{slug(urlsplit(url).netloc)}.journal"


async def _replay(wish: Wish, url: str, plan: Plan, console: Console) -> int:
    path = wish.journal or Path(default_journal_name(plan, url))
    header = Header(secrets.token_hex(8), url, str(plan.season), plan.division, plan.fingerprint)
    with Journal.open(path, header) as journal:
        _check_password(wish, journal)
        reporter = reporter_for(console)
        _introduce_journal(reporter, journal, path, plan)
        async with open_http(url, wish.concurrency) as http:
            api = Api(http, wish.concurrency, wish.patience_s, reporter.say, random.Random())  # noqa: S311  # jitter
            run = Replay(plan, journal, api, reporter, Pace(wish.matches_per_s), wish.password)
            with reporter:
                comparison = await _unless_interrupted(run.run)
        if comparison is None:
            left = len(plan.point_team) - len(journal.memory.counted)
            reporter.say(f"{left:,} points are left to play: the same command goes on from here ({path}).")
    return EXIT_INTERRUPTED if comparison is None else _conclude(console, plan, comparison)


async def _unless_interrupted(work: Callable[[], Awaitable[Comparison]]) -> Comparison | None:
    """Run to the end, or to the first Ctrl-C or SIGTERM (None). Nothing is ever cut in the middle of a journal line."""
    result = None
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def stop_at_signal() -> None:
                async for _ in signals:
                    nursery.cancel_scope.cancel()

            nursery.start_soon(stop_at_signal)
            result = await work()
            nursery.cancel_scope.cancel()
    return result


def _read(file: Path) -> Football:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from error
    return read_football(raw)


def _introduce(console: Console, file: Path, football: Football, plan: Plan) -> None:
    """Say which rows are left out, and what will be played."""
    unusable = football.unusable
    if unusable:
        total = len(football.matches) + len(unusable)
        _print(console, f"{len(unusable):,} of {total:,} rows of {file.name} cannot be used and are left out:")
        for row in unusable[:SHOWN_ROWS]:
            _print(console, f"  {row}")
        if len(unusable) > SHOWN_ROWS:
            _print(console, f"  and {len(unusable) - SHOWN_ROWS:,} more")
    _print(
        console,
        f"{plan.division} {plan.season}: {len(plan.matches):,} matches of {len(plan.teams)} teams, "
        f"{len(plan.point_team):,} points.",
    )


def _introduce_journal(reporter: Reporter, journal: Journal, path: Path, plan: Plan) -> None:
    memory = journal.memory
    if not memory.accounts:
        reporter.say(f"Journal: {path} (new; it holds the passwords of the team accounts).")
        return
    reporter.say(
        f"Journal: {path} (going on: {len(memory.counted):,} of {len(plan.point_team):,} points are counted, "
        f"{len(memory.pending):,} in doubt)."
    )


def _check_password(wish: Wish, journal: Journal) -> None:
    held = {account.password for account in journal.memory.accounts.values()}
    if wish.password is not None and held - {wish.password}:
        raise InputError("The journal holds other passwords for its accounts: leave --password out, they are used.")


def _conclude(console: Console, plan: Plan, comparison: Comparison) -> int:
    console.print(render(comparison, f"{plan.division} {plan.season}"))
    _print(console, verdict(comparison))
    return EXIT_AGREE if comparison.agrees else EXIT_DIFFER


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _first(errors: BaseExceptionGroup[ReplayError]) -> ReplayError:
    """One error out of many tasks that mostly failed for the same reason."""
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
