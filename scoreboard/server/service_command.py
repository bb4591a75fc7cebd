"""``scoreboard service``: who may send batches of scores. The server need not run, and need not be told."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scoreboard.security import service_limits, services
from scoreboard.security.errors import SecurityError
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.service_folder import FOLDER
from scoreboard.security.services import ServiceToken
from scoreboard.security.tokens import AccessTokens
from scoreboard.server.acts import journaled, why_option
from scoreboard.server.keychain import key_times
from scoreboard.server.system import SystemClock
from scoreboard.server.verbs import data_option, explained, give_up, set_up
from scoreboard.settings import Settings

DAY_S = 24 * 3600
MOST_ROWS = 100_000_000

rows_option = click.option(
    "--rows-per-minute", type=click.IntRange(1, MOST_ROWS), help="A limit of its own, instead of that of all."
)


@click.group("service")
def service() -> None:
    """Let servers of a game send batches of scores, and stop them.

    A running server sees a change within a second.
    """


@service.command("add")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good for.")
@rows_option
@why_option
@data_option
def add_command(name: str, days: int, rows_per_minute: int | None, why: str | None, data: str | None) -> None:
    """Print a token for the service NAME; it is told only now.

    A service may have several tokens, so that one can take the place of another. What it sent counts once for its
    name, whichever of them it used.
    """
    with explained(SecurityError, OSError):
        settings = set_up(data)
        now_s = int(time.time())
        token = ServiceToken(name, secrets.token_hex(8), now_s, now_s + days * DAY_S)
        told: dict[str, Any] = {"name": name, "token": token.token_id, "days": days, "rows_per_minute": rows_per_minute}
        with journaled(Path(settings.data_dir), "SERVICE_TOKEN_MADE", why=why, **told):
            services.add(Path(settings.data_dir), token)
            if rows_per_minute is not None:
                service_limits.set_rows(Path(settings.data_dir), name, rows_per_minute)
        click.echo(_tokens(settings).issue_for_service(name, token.token_id, expires_s=token.expires_s))
        click.echo(f"{name} may send scores until {_day(token.expires_s)}; token id {token.token_id}", err=True)


@service.command("limit")
@click.argument("name")
@rows_option
@why_option
@data_option
def limit_command(name: str, rows_per_minute: int | None, why: str | None, data: str | None) -> None:
    """Set how many rows a minute the service NAME may send; without the option it is what all may."""
    with explained(SecurityError, OSError):
        data_dir = Path(set_up(data).data_dir)
        with journaled(data_dir, "SERVICE_LIMITED", why=why, name=name, rows_per_minute=rows_per_minute):
            service_limits.set_rows(data_dir, name, rows_per_minute)
        click.echo(
            f"{name} may send {'what all may' if rows_per_minute is None else f'{rows_per_minute} rows a minute'}"
        )


@service.command("list")
@data_option
def list_command(data: str | None) -> None:
    """Print the tokens that were not revoked: name, id, made, good until, rows a minute if not those of all."""
    with explained(SecurityError, OSError):
        data_dir = Path(set_up(data).data_dir)
        rows = service_limits.read_rows(data_dir / FOLDER)
        for token in services.listed(data_dir):
            own = f"  {rows[token.name]} rows a minute" if token.name in rows else ""
            click.echo(f"{token.name}  {token.token_id}  {_day(token.created_s)}  {_day(token.expires_s)}{own}")


@service.command("revoke")
@click.argument("name")
@why_option
@data_option
def revoke_command(name: str, why: str | None, data: str | None) -> None:
    """End all tokens of the service NAME, or the one with the id NAME."""
    with explained(SecurityError, OSError):
        data_dir = Path(set_up(data).data_dir)
        with journaled(data_dir, "SERVICE_REVOKED", why=why, name=name) as entry:
            ended = services.revoke(data_dir, name)
            entry.tell(ended=ended)
        if not ended:
            give_up(f"there is no token of {name!r}; scoreboard service list shows all")
        click.echo(f"{ended} ended")


def _tokens(settings: Settings) -> AccessTokens:
    clock, names = SystemClock(), settings.tokens
    ring = load_keys(Path(settings.data_dir), key_times(settings))
    return AccessTokens(
        lambda: ring,
        RevokedSessions(keep_s=names.access_s, now_us=clock.now_us),
        issuer=names.issuer,
        audience=names.audience,
        lifetime_s=names.access_s,
        now_us=clock.now_us,
    )


def _day(moment_s: int) -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%d")
