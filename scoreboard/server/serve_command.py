"""``scoreboard serve``, and what it starts if there are to be several workers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import BinaryIO

import click
import msgspec

from scoreboard.observe.logs import Logger
from scoreboard.server.crew.errors import NoParent
from scoreboard.server.crew.parent import run_parent
from scoreboard.server.process_log import logger_for
from scoreboard.server.verbs import MISTAKEN, give_up, settings_of
from scoreboard.settings import Settings

#: Options beside the data directory, and the settings that they are.
PATHS = {
    "port": "door.port",
    "host": "door.host",
    "workers": "workers",
    "renewable": "renewable",
    "postgres": "stores.postgres_url",
    "redis": "stores.redis_url",
    "limits": "limits.enabled",
}


@click.command("serve")
@click.option("--port", type=int, help="Port for everything; 0 takes a free one.  [default: 8000]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--data", metavar="DIR", help="Where everything is kept.  [default: .data]")
@click.option("--workers", type=int, help="Equal processes on the one port.  [default: 1]")
@click.option("--renewable", is_flag=True, default=None, help="One worker can be reloaded, too; several always can.")
@click.option("--postgres", metavar="URL", help="A PostgreSQL to use instead of an embedded one.")
@click.option("--redis", metavar="URL", help="A Redis or Valkey to use instead of an embedded one.")
@click.option("--limits", type=click.Choice(["on", "off"]), help="Off is for load tests and replays.")
def serve_command(data: str | None, **given: object) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Settings come from SCOREBOARD_... variables and the TOML file that SCOREBOARD_CONFIG names; options win over them.
    """
    options = {"data_dir": data, **{PATHS[name]: value for name, value in given.items()}}
    settings = settings_of(data, options)
    sys.exit(_run(settings, logger_for(settings.logs), options))


@click.command("worker", hidden=True)
@click.argument("number")
def worker_command(number: str) -> None:
    """One of several workers: what `serve --workers` starts. The number is for those who look at processes."""
    from scoreboard.server.crew.worker import run_worker  # noqa: PLC0415 - all that serves, which a parent does without

    try:
        status = run_worker()
    except NoParent as error:
        give_up(f"worker {number}: {error}", status=MISTAKEN)
    sys.exit(status)


@click.command("effective-settings", hidden=True)
@click.argument("options", type=click.File("rb"), default="-")
def effective_settings_command(options: BinaryIO) -> None:
    """Print the settings that new workers would have: what `reload` asks the installed program for."""
    settings = settings_of(None, msgspec.json.decode(options.read(), type=dict[str, object]))
    click.echo(msgspec.json.encode(settings))


def _run(settings: Settings, log: Logger, options: Mapping[str, object]) -> int:
    """Run a server to its end; the exit status."""
    if not settings.limits.enabled:
        log.warning("limits_off", meaning="anybody may score as often as they like; for load tests and replays only")
    if settings.workers > 1 or settings.renewable:
        return run_parent(settings, log, options)
    from scoreboard.server.running import run_process  # noqa: PLC0415 - as above

    return run_process(settings, log)
