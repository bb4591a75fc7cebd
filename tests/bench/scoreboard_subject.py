"""Our own server as a subject: a process of its own on a fresh data directory, with embedded stores."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.subject import Memory, Usage, memory_of, processor_s, tree_processor_s

TOP = Path(__file__).resolve().parents[2]
START_WITHIN_S = 120.0
STOP_WITHIN_S = 15.0
SETTINGS = {
    "SCOREBOARD_PASSWORDS_ROUNDS": "4",  # who signs in is not what is measured
    "SCOREBOARD_DOOR_CONNECTIONS": "20000",
    "SCOREBOARD_DOOR_CONNECTIONS_PER_ADDRESS": "20000",  # all clients live at one address
    "SCOREBOARD_SOCKETIO_UNCONNECTED_PER_ADDRESS": "20000",
    "SCOREBOARD_LOGS_FORMAT": "json",  # as in production; it goes to a file
}

#: Counted but never reached: what counting costs is measured with the rest.
UNREACHED = {
    f"SCOREBOARD_LIMITS_{limit}": "1000000"
    for limit in (
        "REQUESTS_PER_MINUTE",
        "REQUESTS_PER_MINUTE_PER_ADDRESS",
        "SIGN_INS_PER_MINUTE_PER_ADDRESS",
        "REGISTRATIONS_PER_MINUTE_PER_ADDRESS",
        "TOKENS_PER_MINUTE",
        "INCREMENTS_PER_MINUTE",
        "UPDATES_PER_MINUTE",
    )
}


WORKER_READY = re.compile(rb'"event":"worker_ready"')
READ_EACH_S = 0.1


class ServerFailed(Exception):
    """The server did not start or did not live; with the end of its log."""


class ScoreboardSubject:
    """A started server; `running` makes and ends it. It keeps its port and its data over a restart."""

    def __init__(self, command: list[str], environment: dict[str, str], home: Path, port: int, tick_s: float) -> None:
        self.home = home
        self.port = port
        self.tick_s = tick_s
        self._command = command
        self._environment = environment
        self._server: subprocess.Popen[bytes]
        self._process: psutil.Process

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._server.pid

    def start(self) -> None:
        """Returns when it is ready.

        Raises:
            ServerFailed: it was not ready in time, or its process ended.
        """
        self.launch()
        _wait_until_ready(self._server, self.port, self.log)
        while len(WORKER_READY.findall(self.log.read_bytes())) < len(self.workers()):
            time.sleep(READ_EACH_S)

    def launch(self) -> None:
        """Returns at once."""
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(self._command, cwd=TOP, env=self._environment, stdout=log, stderr=log)
        self._process = psutil.Process(self._server.pid)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """In good order, so that the embedded stores end too (or otherwise); killed only when it will not."""
        if self._server.poll() is not None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def require_alive(self) -> None:
        """Raises ServerFailed when it has ended by itself."""
        if self._server.poll() is not None:
            raise ServerFailed(f"the server ended by itself:\n{_end_of(self.log)}")

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What it writes to standard output and standard error."""
        return self.home / "log"

    def usage(self) -> Usage:
        """The processor time until now."""
        workers = self.workers()
        stores = {
            child.name().partition("-")[0]: tree_processor_s(child)
            for child in self._process.children()
            if child not in workers
        }
        return Usage(processor_s(self.pid) + sum(processor_s(worker.pid) for worker in workers), stores)

    def workers(self) -> list[psutil.Process]:
        """Their processes; none where one process serves alone."""
        return [child for child in self._process.children() if "worker" in child.cmdline()]

    def memory(self) -> Memory:
        """The memory now."""
        return memory_of(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Tell the server something."""
        self._process.send_signal(number)


@contextmanager
def running(
    module: str = "scoreboard", *, prepare: Callable[[Path], None] | None = None, **settings: str
) -> Iterator[ScoreboardSubject]:
    """A server that is ready, until the end of the scope.

    Args:
        module: What is run; a profiler may stand in for the server's own module.
        prepare: Puts something into the data directory before the server starts.
        settings: More environment variables. Limits are off unless one of these is about them.

    Raises:
        ServerFailed: it was not ready in time, or its process ended.
    """
    home = Path(tempfile.mkdtemp(prefix="scoreboard-bench-"))
    home.chmod(0o755)  # the embedded stores may run under another account
    if prepare is not None:
        prepare(home / "data")
    port = _free_port()
    command = [sys.executable, "-m", module, "serve", "--port", str(port), "--data", str(home / "data")]
    if not any(name.startswith("SCOREBOARD_LIMITS_") for name in settings):
        command += ["--limits", "off"]
    tick_s = float(settings.get("SCOREBOARD_BOARD_TICK_S", "1"))
    subject = ScoreboardSubject(command, os.environ | SETTINGS | settings, home, port, tick_s)
    try:
        try:
            subject.start()
            yield subject
            subject.require_alive()
        finally:
            subject.end()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not _ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"the server is not ready:\n{_end_of(log)}")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3_000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
