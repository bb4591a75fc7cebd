"""``scoreboard audit``: who did what, and whether all of it still stands as it was written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from actors.ports import StoreUnavailable
from scoreboard.security.names import fold
from scoreboard.server.acts import carry
from scoreboard.server.offline import postgres_option, with_stores
from scoreboard.server.told import iso, json_option, limit_option, moment_us, plain, since_option
from scoreboard.server.verbs import data_option, give_up, settings_of
from scoreboard.stores.opening import Stores
from scoreboard.stores.seals import Finding, Verdict, verify
from scoreboard.stores.trail import Line, trail, who_is

#: What a process ends with when something was found.
BROKEN = 3


@click.group("audit")
def audit() -> None:
    """Look into what was done, and prove that nobody has changed it since.

    The server may run meanwhile.
    """


@audit.command("verify")
@click.option("--known", type=click.Path(exists=True, dir_okay=False), help="What --json printed another time.")
@json_option
@data_option
@postgres_option
def verify_command(known: str | None, data: str | None, postgres: str | None, *, as_json: bool) -> None:
    """Compute all seals again, and name every row that was changed, removed or added.

    Ends with 0 if everything is as it was written, with 3 if not. Whoever can write to the database can also cut off
    the end of a chain; so keep what --json prints elsewhere, and give it with --known the next time.
    """
    ends = json.loads(Path(known).read_text(encoding="utf-8"))["chains"] if known else []
    verdict = with_stores(data, postgres, lambda stores: verify(stores.database, ends), to_read=True)
    if as_json:
        click.echo(json.dumps(asdict(verdict), indent=2))
    else:
        click.echo("\n".join(_told(verdict)))
    sys.exit(BROKEN if verdict.findings else 0)


@audit.command("show")
@click.option("--user", metavar="NAME", help="Only what concerns this player, by name or id.")
@since_option
@limit_option
@json_option
@data_option
@postgres_option
def show_command(
    user: str | None, since: str, limit: int, data: str | None, postgres: str | None, *, as_json: bool
) -> None:
    """Print scores, refusals, consequences and acts, the oldest first: when, who, what, where, from where, why."""
    since_us = moment_us(since)

    async def work(stores: Stores) -> list[Line] | None:
        if postgres is None or data is not None:  # then the directory is that of the database
            for reason in await _carried(stores, Path(settings_of(data).data_dir)):
                click.echo(f"scoreboard: {reason}", err=True)
        user_id = None if user is None else await who_is(stores.database, user, fold(user))
        if user is not None and user_id is None:
            return None
        return await trail(stores.database, stores.personal, user_id=user_id, since_us=since_us, limit=limit)

    lines = with_stores(data, postgres, work, to_read=True)
    if lines is None:
        give_up(f"there is no player {user!r}")
    for line in reversed(lines):
        click.echo(json.dumps(asdict(line)) if as_json else _readable(line))


async def _carried(stores: Stores, data_dir: Path) -> list[str]:
    """As `carry`; what a replica cannot take the server takes."""
    try:
        return await carry(stores.audit, data_dir)
    except StoreUnavailable as error:
        return [f"acts that wait in {data_dir} are not among these yet: {error}"]


def _told(verdict: Verdict) -> Iterator[str]:
    """The verdict for people: what is wrong first, then the whole."""
    yield from map(_finding, verdict.findings)
    looked = (
        f"{len(verdict.chains)} chains, {verdict.batches} batches, {verdict.scores} scores, {verdict.events} events"
    )
    older = f"; {verdict.older} scores are from before there were seals" if verdict.older else ""
    found = f"{len(verdict.findings)} findings" if verdict.findings else "everything is as it was written"
    yield f"{looked}{older}: {found}"


def _finding(finding: Finding) -> str:
    if finding.id is None:
        return finding.says
    moment = "" if finding.moment_us is None else f" of {iso(finding.moment_us)}"
    return f"{finding.says} ({finding.id}{moment})"


def _readable(line: Line) -> str:
    """One line of the trail for people."""
    times = "" if line.times == 1 else f" {line.times} times until {iso(line.until_us)}"
    about = line.username or line.user_id
    parts: Iterable[tuple[str, Any]] = (
        ("by", line.done_by if line.done_by != f"user:{line.user_id}" else None),
        ("at", line.site),
        ("from", line.address),
        ("agent", line.user_agent),
        ("because", line.why),
        ("request", line.request_id),
        ("with", json.dumps(line.details, ensure_ascii=False) if line.details else None),
    )
    more = "".join(f"; {name} {plain(str(value))}" for name, value in parts if value)
    return f"{iso(line.at_us)}  {line.kind}  {plain(about or '-')}  {plain(line.what)}{times}{more}"
