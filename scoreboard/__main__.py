"""The command line: ``scoreboard serve``, and the verbs of its operators."""

from __future__ import annotations

import sys

import click

from scoreboard.observe.logs import Logger
from scoreboard.replay.command import replay
from scoreboard.server.action_command import action
from scoreboard.server.audit_command import audit
from scoreboard.server.crew.errors import NoParent
from scoreboard.server.crew.parent import run_parent
from scoreboard.server.crew.worker import run_worker
from scoreboard.server.fraud_command import fraud
from scoreboard.server.key_command import key
from scoreboard.server.process_log import logger_for
from scoreboard.server.running import run_process
from scoreboard.server.service_command import service
from scoreboard.server.user_command import user
from scoreboard.server.verbs import MISTAKEN, give_up, settings_of
from scoreboard.settings import Settings
from scoreboard.settings_reader import describe


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scoreboard", message="%(prog)s %(version)s")
def main() -> None:
    """A live scoreboard server: scores kept exactly once, and every screen shows the ranking as it moves."""


@main.command("serve")
@click.option("--port", type=int, help="Port for everything; 0 takes a free one.  [default: 8000]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--data", metavar="DIR", help="Where everything is kept.  [default: .data]")
@click.option("--workers", type=int, help="Equal processes on the one port.  [default: 1]")
@click.option("--postgres", metavar="URL", help="A PostgreSQL to use instead of an embedded one.")
@click.option("--redis", metavar="URL", help="A Redis or Valkey to use instead of an embedded one.")
@click.option("--limits", type=click.Choice(["on", "off"]), help="Off is for load tests and replays.")
def serve_command(data: str | None, **given: object) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Settings come from SCOREBOARD_... variables and the TOML file that SCOREBOARD_CONFIG names; options win over them.
    """
    paths = {
        "port": "door.port",
        "host": "door.host",
        "workers": "workers",
        "postgres": "stores.postgres_url",
        "redis": "stores.redis_url",
        "limits": "limits.enabled",
    }
    settings = settings_of(data, {paths[name]: value for name, value in given.items()})
    sys.exit(_run(settings, logger_for(settings.logs)))


@main.command("worker", hidden=True)
@click.argument("number")
def worker_command(number: str) -> None:
    """One of several workers: what `serve --workers` starts. The number is for those who look at processes."""
    try:
        status = run_worker()
    except NoParent as error:
        give_up(f"worker {number}: {error}", status=MISTAKEN)
    sys.exit(status)


@main.command("settings")
def settings_command() -> None:
    """Print all settings as a table in Markdown, as it stands in docs/settings.md."""
    click.echo("| variable | default | meaning |\n| --- | --- | --- |")
    for setting in describe():
        spoken = str(setting.default).lower() if isinstance(setting.default, bool) else setting.default
        default = f"`{spoken}`" if setting.default not in {None, ""} else ""
        click.echo(f"| `{setting.variable}` | {default} | {setting.meaning}; {setting.expected} |")


main.add_command(replay)
main.add_command(service)
main.add_command(user)
main.add_command(action)
main.add_command(key)
main.add_command(audit)
main.add_command(fraud)


def _run(settings: Settings, log: Logger) -> int:
    """Run a server to its end; the exit status."""
    if not settings.limits.enabled:
        log.warning("limits_off", meaning="anybody may score as often as they like; for load tests and replays only")
    return run_parent(settings, log) if settings.workers > 1 else run_process(settings, log)


if __name__ == "__main__":
    main()
