"""The command line: ``scoreboard serve``, and the verbs of its operators."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import click
import trio

from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME, StoreError
from actors.runtime import ActorError
from scoreboard.door.tls import TlsFilesError
from scoreboard.observe.logs import Logger, adopt_library_logs, make_logger
from scoreboard.replay.command import replay
from scoreboard.security.errors import SecurityError
from scoreboard.server import BOARD_LOAD_S, Server, collector, descriptors, intake, serve
from scoreboard.server.action_command import action
from scoreboard.server.audit_command import audit
from scoreboard.server.fraud_command import fraud
from scoreboard.server.key_command import key
from scoreboard.server.service_command import service
from scoreboard.server.user_command import user
from scoreboard.server.verbs import settings_of
from scoreboard.settings import Settings
from scoreboard.settings_reader import describe
from scoreboard.stores.embedded import EmbeddedError
from scoreboard.stores.migrate import MigrationError
from scoreboard.watch.errors import WatchError

STOP_WITHIN_S = 9.5
#: After so long the end in good order gives way to cancelling everything at once, which still ends what it began:
#: closing the stores takes up to 1 s, stopping an embedded Postgres that does not answer 3 s.
ORDERLY_WITHIN_S = 5.0
#: What keeps a server from starting for a reason that a sentence explains; everything else shows its traceback.
EXPLAINED = (SecurityError, WatchError, TlsFilesError, EmbeddedError, StoreError, MigrationError, OSError)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scoreboard", message="%(prog)s %(version)s")
def main() -> None:
    """A live scoreboard server: scores kept exactly once, and every screen shows the ranking as it moves."""


@main.command("serve")
@click.option("--port", type=int, help="Port for everything; 0 takes a free one.  [default: 8000]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--data", metavar="DIR", help="Where everything is kept.  [default: .data]")
@click.option("--workers", type=int, help="Processes; more than one is not supported yet.")
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
    log = make_logger(level=settings.logs.level, style=settings.logs.format)
    adopt_library_logs(log, ("", "hypercorn", "quart", "trio-websocket"))  # "": all that have no handler of their own
    sys.exit(_run(settings, log))


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
    descriptors.prepare(settings.door.connections, log)
    collector.begin()
    try:
        trio.run(_serve_until_told, settings, log)
    except EXPLAINED as error:
        log.error("cannot_start", reason=str(error) or repr(error))  # noqa: TRY400 - the sentence is the whole story
        return 1
    except BaseExceptionGroup as errors:
        explained, other = errors.split(EXPLAINED)
        if other is not None:
            raise
        reasons = [str(error) for error in _leaves(explained)]
        log.error("cannot_go_on", reasons=reasons)  # noqa: TRY400 - likewise
        return 1
    log.info("stopped")
    return 0


def _leaves(errors: BaseException | None) -> list[BaseException]:
    if isinstance(errors, BaseExceptionGroup):
        return [leaf for error in errors.exceptions for leaf in _leaves(error)]
    return [errors] if errors is not None else []


async def _serve_until_told(settings: Settings, log: Logger) -> None:
    """Serve; the first SIGTERM or SIGINT lets everything end in good order, the second at once."""
    wakings = collector.Wakings()
    intake.take_in_portions(taken=wakings.add)
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            ways_to_stop: list[Callable[[], None]] = [nursery.cancel_scope.cancel]

            async def serve_to_the_end(*, task_status: trio.TaskStatus[Server]) -> None:
                await serve(settings, log, task_status=task_status)
                nursery.cancel_scope.cancel()

            nursery.start_soon(_obey_signals, signals, ways_to_stop, nursery, log)
            server = await nursery.start(serve_to_the_end)
            ways_to_stop.append(server.close)
            nursery.start_soon(_collect_garbage, server, log)
            nursery.start_soon(wakings.collect)


async def _collect_garbage(server: Server, log: Logger) -> None:
    """Once the board is loaded: whose players the collector need never look at."""
    with suppress(ActorError):
        await server.core.boards.ask(ALL_TIME, Loaded(), within=BOARD_LOAD_S)
    await collector.keep_small(server.connections, log)


async def _obey_signals(
    signals: AsyncIterator[int], ways_to_stop: list[Callable[[], None]], nursery: trio.Nursery, log: Logger
) -> None:
    async for number in signals:
        log.info("told_to_stop", signal=signal.Signals(number).name)
        threading.Thread(target=_exit_in_time, args=(log,), daemon=True).start()
        nursery.start_soon(_lose_patience, nursery.cancel_scope, log)
        if ways_to_stop:
            ways_to_stop.pop()()


async def _lose_patience(scope: trio.CancelScope, log: Logger) -> None:
    await trio.sleep(ORDERLY_WITHIN_S)
    log.warning("cancelling_what_is_left", after_s=ORDERLY_WITHIN_S)
    scope.cancel()


def _exit_in_time(log: Logger) -> None:
    """Whatever hangs, the process ends when it was promised to. What was answered is on disk already."""
    time.sleep(STOP_WITHIN_S)
    log.error("did_not_stop_in_time", within_s=STOP_WITHIN_S)
    os._exit(1)


if __name__ == "__main__":
    main()
