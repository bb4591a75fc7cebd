"""One program that serves from a directory: our child, watched, started again when it dies, stopped in time."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import trio

from scoreboard.stores.embedded_errors import ServerFailed
from scoreboard.stores.embedded_home import Account

log = logging.getLogger(__name__)

LOG_KEPT_BYTES = 8 * 1024 * 1024
TAIL_BYTES = 2_000
#: Before one that could not be started is tried again; twice as long with each end that counts.
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """How to run one program. `ladder` is how to stop it: signals, each with the seconds it gets to work."""

    name: str
    arguments: Sequence[str]
    directory: Path
    log: Path
    ladder: Sequence[tuple[signal.Signals, float]]
    account: Account | None = None
    search: bool = False


def spawn(program: Program, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start it as a child that dies with us, outside of our process group so that a Ctrl-C meant for us spares it.

    Called in Trio's own thread on purpose: the kernel sends the parent's death signal when the *thread* that started
    a child ends, and a worker thread ends when it has been idle for a while.
    """
    account = program.account
    child = Path(__file__).with_name("embedded_child.py")
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    wrapper = [sys.executable, "-I", "-S", str(child), str(os.getpid()), str(int(program.ladder[0][0]))]
    wrapper += [str(uid), str(gid), str(int(program.search))]
    with os.fdopen(_open_log(program.log), "ab") as output:
        return subprocess.Popen(  # noqa: S603 - the programs and arguments are ours
            [*wrapper, *program.arguments],
            stdin=stdin,
            stdout=output,
            stderr=output,
            cwd="/",
            env={key: value for key, value in os.environ.items() if not key.startswith(("PG", "PYTHON"))}
            | {"LC_ALL": "C"},
            start_new_session=True,
        )


def _open_log(path: Path) -> int:
    """The log, opened to append; a long one is put aside first."""
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_name(path.name + ".old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def tail(path: Path) -> str:
    """The last lines of a log, for an error message."""
    try:
        return path.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""


async def run_to_end(program: Program, *, text: str = "", within: float) -> None:
    """Run a helper program to its end.

    Raises:
        ServerFailed: its status was not zero, or it took longer than `within` seconds.
    """
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    child = spawn(program, stdin=reader)
    os.close(reader)
    with trio.move_on_after(within):
        try:
            await ended(child.pid)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
    if child.returncode != 0:
        raise ServerFailed(f"{program.name} ended with status {child.returncode}", program.log, tail(program.log))


async def ended(pid: int) -> None:
    """Wait until a process, ours or not, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # not Linux, a kernel without it, or no descriptor left
        while _is_there(pid):  # noqa: ASYNC110
            await trio.sleep(0.05)
        return
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)


def _is_there(pid: int) -> bool:
    """Whether it has not ended, as far as can be seen now."""
    try:
        return psutil.pid_exists(pid) and bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except OSError:
        return True


def processes_in(directory: Path, name: str) -> list[int]:
    """Pids of the programs called `name` that work in `directory`, the oldest first.

    Both servers change into their data directory, which tells them from strangers that were given an old number again.
    """
    found = []
    for process in psutil.process_iter(["name", "create_time"]):
        if process.info["name"] != name:
            continue
        try:
            if process.cwd() == str(directory):
                found.append((process.info["create_time"], process.pid))
        except psutil.Error:  # gone meanwhile, or somebody else's
            continue
    return [pid for _, pid in sorted(found)]


async def climb(pid: int, ladder: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send one signal after the other until the process has ended; says whether it did."""
    for number, grace_s in ladder:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        with trio.move_on_after(grace_s):
            await ended(pid)
            return True
    return False


async def clear(program: Program) -> None:
    """Stop whatever still serves the directory: orphans of a parent that was killed.

    The oldest is the server itself and is asked first; what outlives it hears the last word only.
    """
    ladder = program.ladder
    for pid in processes_in(program.directory, program.name):
        log.warning("stopping %s (process %d) that was left over in %s", program.name, pid, program.directory)
        await climb(pid, ladder)
        ladder = program.ladder[-1:]


@dataclass(slots=True)
class Server:
    """A program that serves while it is wanted.

    `ready` says whether the process with that pid answers. After an unexpected end the program is started again, up to
    `restarts` times within `restart_window_s`; then `watch` raises.
    """

    program: Program
    ready: Callable[[int], Awaitable[bool]]
    prepare: Callable[[], None] = lambda: None
    start_within: float = 60.0
    restarts: int = 5
    restart_window_s: float = 60.0
    _child: subprocess.Popen[bytes] | None = None
    _ends: list[float] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """The process that serves now."""
        if self._child is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return self._child.pid

    async def start(self) -> None:
        """Start and wait until it is ready; raises ServerFailed."""
        await clear(self.program)
        self.prepare()
        self._child = child = spawn(self.program)
        with trio.move_on_after(self.start_within):
            while child.poll() is None:
                if await self.ready(child.pid):
                    return
                await trio.sleep(0.02)
        raise ServerFailed(f"{self.program.name} did not start", self.program.log, tail(self.program.log))

    async def watch(self) -> None:
        """Start it again whenever it ends by itself; raises ServerFailed when that happens too often."""
        while True:
            if self._runs:
                await ended(self.pid)
                self._reap()
            self._note_end()
            log.error("%s ended by itself; starting it again", self.program.name)
            try:
                await self.start()
            except (OSError, ServerFailed) as error:
                if self._runs:  # it does not get ready
                    raise
                log.error("%s ended, or could not be started: %s", self.program.name, error)  # noqa: TRY400
                await trio.sleep(PAUSE_S * 2 ** len(self._ends))

    def _note_end(self) -> None:
        now = trio.current_time()
        self._ends = [at for at in self._ends if at > now - self.restart_window_s] + [now]
        if len(self._ends) > self.restarts:
            raise ServerFailed(f"{self.program.name} keeps ending", self.program.log, tail(self.program.log))

    @property
    def _runs(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def stop(self) -> None:
        """Stop it, and what it leaves behind. Bounded by its ladder, and not cancellable before."""
        with trio.CancelScope(shield=True):
            if self._child is not None and self._child.poll() is None:
                await climb(self._child.pid, self.program.ladder)
            self._reap()
            for pid in processes_in(self.program.directory, self.program.name):
                await climb(pid, self.program.ladder[-1:])

    def _reap(self) -> None:
        if self._child is not None:
            self._child.poll()
