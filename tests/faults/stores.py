"""PostgreSQL and Valkey as processes that can be killed, paused and started again, on a disk that can be full."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from scoreboard.stores import embedded_postgres, embedded_valkey
from scoreboard.stores.embedded_errors import ServerFailed
from scoreboard.stores.embedded_home import account_for, home_in, socket_directory, sole_use
from scoreboard.stores.embedded_process import Server, processes_in

DISK_BYTES = 800_000_000
#: A log that does not fill the small disk by itself.
SMALL = {"max_wal_size": "96MB", "min_wal_size": "64MB", "max_connections": "80"}


@dataclass(slots=True)
class StoreProcess:
    """One of them. `socket` is where it listens, `home` where it lives."""

    server: Server
    socket: Path
    home: Path
    restarts: int = 0
    _starting: trio.Lock = field(default_factory=trio.Lock)

    @property
    def pids(self) -> list[int]:
        """All of its processes, the first one first."""
        return processes_in(self.server.program.directory, self.server.program.name)

    @property
    def runs(self) -> bool:
        """Whether its first process lives."""
        child = self.server._child
        return child is not None and child.poll() is None

    def tell(self, number: signal.Signals) -> None:
        """All of its processes."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Without a word, all at once."""
        self.tell(signal.SIGKILL)

    def kill_one(self) -> None:
        """One that serves a client; of PostgreSQL all others are ended by the first one then."""
        if len(pids := self.pids) > 1:
            with suppress(ProcessLookupError):
                os.kill(pids[-1], signal.SIGKILL)

    async def start(self) -> None:
        """Start it, unless it runs; again, if another fault ends it meanwhile. Raises ServerFailed."""
        async with self._starting:
            for last in (False, False, True):
                if self.runs:
                    return
                self.restarts += 1
                try:
                    await self.server.start()
                except ServerFailed:
                    if last:
                        raise

    async def stop(self) -> None:
        """In good order, as an operator does."""
        await self.server.stop()

    def forget(self) -> None:
        """All that it had is gone, while it does not run."""
        for path in sorted(self.server.program.directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


@asynccontextmanager
async def postgres_process(folder: Path, environ: Mapping[str, str]) -> AsyncIterator[StoreProcess]:
    """One with a database of its own in that folder and more in its environment, for as long as the block runs."""
    async with spare_process(folder, environ, "postgres") as process:
        await embedded_postgres.make_cluster(process.home, process.server.program.account)
        await process.start()
        yield process


@asynccontextmanager
async def spare_process(folder: Path, environ: Mapping[str, str], name: str = "spare") -> AsyncIterator[StoreProcess]:
    """A place for one in that folder, of that name, in which nothing is and nothing runs at the beginning."""
    account = account_for(folder / name)
    home = home_in(folder, name, account)
    with sole_use(home), socket_directory(home, embedded_postgres.SOCKET, account) as sockets:
        settings = {**embedded_postgres.SETTINGS, **SMALL}
        server = _given(embedded_postgres._server(home, sockets, account, settings), environ)
        async with _ended(StoreProcess(server, sockets / embedded_postgres.SOCKET, home)) as process:
            yield process


@asynccontextmanager
async def valkey_process(folder: Path, environ: Mapping[str, str]) -> AsyncIterator[StoreProcess]:
    """The same of Valkey."""
    account = account_for(folder / "valkey")
    home = home_in(folder, "valkey", account)
    with sole_use(home), socket_directory(home, embedded_valkey.SOCKET, account) as sockets:
        socket = sockets / embedded_valkey.SOCKET
        server = _given(embedded_valkey._server(home, socket, account, dict(embedded_valkey.SETTINGS)), environ)
        async with _ended(StoreProcess(server, socket, home)) as process:
            await process.start()
            yield process


def _given(server: Server, environ: Mapping[str, str]) -> Server:
    given = [f"{name}={value}" for name, value in environ.items()]
    server.program = replace(server.program, arguments=["/usr/bin/env", *given, *server.program.arguments])
    return server


@asynccontextmanager
async def _ended(process: StoreProcess) -> AsyncIterator[StoreProcess]:
    try:
        yield process
    finally:
        process.tell(signal.SIGCONT)
        await process.stop()


def valkey_says(process: StoreProcess, *words: str) -> str:
    """What it answers to a command."""
    client = embedded_valkey.binary().with_name("valkey-cli")
    command = [str(client), "-s", str(process.socket), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout.strip()


async def rows_of(process: StoreProcess, sql: str, database: str = embedded_postgres.DATABASE) -> list[list[str]]:
    """What PostgreSQL answers, on its own socket and so past everything that is wrong with the network."""
    command = [str(embedded_postgres.binary("psql")), "-h", str(process.socket.parent), "-U", "postgres"]
    command += ["-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql, database]
    told = await trio.run_process(command, capture_stdout=True)
    return [line.split("\t") for line in told.stdout.decode().splitlines()]


# --- a small disk ---


class SmallDisk:
    """A disk of its own, or why there is none."""

    def __init__(self, folder: Path, why_not: str | None) -> None:
        self.folder = folder
        self.why_not = why_not

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Nothing more can be written."""
        assert self.why_not is None, self.why_not
        with self._ballast.open("ab") as file, suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(65_536))
        with self._ballast.open("ab") as file, suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(512))

    def free(self) -> None:
        """There is room again."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A tmpfs at that folder, where we may mount one; otherwise the folder as it is."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "faults", str(folder)]
    try:
        tried = subprocess.run(mounting, capture_output=True, text=True, timeout=20, check=False)
        why_not = tried.stderr.strip() or None if tried.returncode else None
    except OSError as error:
        why_not = str(error)
    try:
        yield SmallDisk(folder, why_not)
    finally:
        if why_not is None:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True, timeout=20, check=False)
