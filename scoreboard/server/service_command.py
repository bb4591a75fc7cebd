"""``scoreboard service``: who may send batches of scores. The server need not run, and need not be told."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from scoreboard.security import services
from scoreboard.security.errors import SecurityError
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.services import ServiceToken
from scoreboard.security.tokens import AccessTokens
from scoreboard.server.keychain import key_times
from scoreboard.server.system import SystemClock
from scoreboard.settings import Settings
from scoreboard.settings_reader import SettingsError, load

DAY_S = 24 * 3600
data_option = click.option("--data", metavar="DIR", help="The data directory of the server.  [default: .data]")


@click.group("service")
def service() -> None:
    """Let servers of a game send batches of scores, and stop them.

    A running server sees a change within a second.
    """


@service.command("add")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good for.")
@data_option
def add_command(name: str, days: int, data: str | None) -> None:
    """Print a token for the service NAME; it is told only now.

    A service may have several tokens, so that one can take the place of another. What it sent counts once for its
    name, whichever of them it used.
    """
    with _explained():
        settings = _settings(data)
        now_s = int(time.time())
        token = ServiceToken(name, secrets.token_hex(8), now_s, now_s + days * DAY_S)
        services.add(Path(settings.data_dir), token)
        click.echo(_tokens(settings).issue_for_service(name, token.token_id, expires_s=token.expires_s))
        click.echo(f"{name} may send scores until {_day(token.expires_s)}; token id {token.token_id}", err=True)


@service.command("list")
@data_option
def list_command(data: str | None) -> None:
    """Print the tokens that were not revoked: name, id, made, good until."""
    with _explained():
        for token in services.listed(Path(_settings(data).data_dir)):
            click.echo(f"{token.name}  {token.token_id}  {_day(token.created_s)}  {_day(token.expires_s)}")


@service.command("revoke")
@click.argument("name")
@data_option
def revoke_command(name: str, data: str | None) -> None:
    """End all tokens of the service NAME, or the one with the id NAME."""
    with _explained():
        ended = services.revoke(Path(_settings(data).data_dir), name)
        if not ended:
            click.echo(f"scoreboard: there is no token of {name!r}; scoreboard service list shows all", err=True)
            sys.exit(1)
        click.echo(f"{ended} ended")


def _settings(data: str | None) -> Settings:
    return load(os.environ, {"data_dir": data})


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


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        click.echo(f"scoreboard: {error}", err=True)
        sys.exit(2)
    except SecurityError as error:
        click.echo(f"scoreboard: {error}", err=True)
        sys.exit(1)
