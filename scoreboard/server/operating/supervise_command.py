"""``scoreboard supervise``: serve, and serve again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import trio

import scoreboard.stores.embedded_child
from scoreboard.server.ending import signals_to_end
from scoreboard.server.operating.asking import NoAnswer, NotRunning, ask
from scoreboard.server.operating.renewal import program
from scoreboard.server.operating.supervisor import Supervisor, answers_at, unverified
from scoreboard.server.process_log import logger_for
from scoreboard.server.serve_command import PATHS, serve_command
from scoreboard.server.verbs import give_up, settings_of
from scoreboard.settings import Settings
from scoreboard.stores.embedded_process import ended


class ServerProcess:
    """A server in a session of its own, which ends when this process does, however that ends."""

    def __init__(self, arguments: Sequence[str]) -> None:
        wrapper = [sys.executable, "-I", "-S", str(scoreboard.stores.embedded_child.__file__)]
        as_we_are = [str(os.getpid()), str(int(signal.SIGTERM)), "-1", "-1", "0"]
        command = [*wrapper, *as_we_are, *program(), "serve", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    async def ended(self) -> int:
        """See `Child`."""
        await ended(self._process.pid)
        return self._process.wait()

    def tell(self, number: signal.Signals) -> None:
        """See `Child`. One that was stopped goes on, so that it can obey."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
                self._process.send_signal(signal.SIGCONT)


@click.command("supervise", context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def supervise_command(arguments: tuple[str, ...]) -> None:
    """Serve, and start again what fails or does not answer.

    ARGUMENTS are those of `scoreboard serve`. One that has answered, and does not for 30 s, is killed. Starts come with
    the pauses and the intensity of actors: 0.1 s, 0.2 s, ... up to 10 s; after six failures within a minute it is given
    up. SIGTERM, SIGINT and SIGHUP are handed on. Ends with 0 when the server was told to end (scoreboard drain, too),
    with 1 when it was given up or runs already, with 2 for a wrong argument or setting.
    """
    settings = _settings(arguments)
    _require_nobody(Path(settings.data_dir))
    sys.exit(trio.run(_supervise, settings, arguments))


def _require_nobody(data_dir: Path) -> None:
    try:
        list(ask(data_dir, "status"))
    except NotRunning:
        return
    except NoAnswer as error:
        give_up(str(error))
    give_up(f"a server runs in {data_dir} already; look at it with: scoreboard status --data {data_dir}")


def _settings(arguments: tuple[str, ...]) -> Settings:
    given = serve_command.make_context("serve", list(arguments)).params
    return settings_of(given["data"], {path: given[name] for name, path in PATHS.items()})


async def _supervise(settings: Settings, arguments: tuple[str, ...]) -> int:
    door = settings.door
    context = None if door.certificate is None else unverified()
    answers = partial(answers_at, door.host, door.port, context)
    supervisor = Supervisor(
        partial(ServerProcess, arguments), answers, logger_for(settings.logs, supervisor=os.getpid())
    )
    with trio.open_signal_receiver(*signals_to_end()) as signals:
        return await supervisor.run(signals)
