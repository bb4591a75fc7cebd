"""A real Postgres with streaming replicas, one of which an operator makes the primary: all on ports of this machine."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scoreboard.stores.embedded_home import account_for, home_in, needs_search
from scoreboard.stores.embedded_postgres import LADDER, binary
from scoreboard.stores.embedded_process import Program, spawn
from tests.redis_servers import HERE, free_port
from tests.served import wait_for

#: Throw-away data, and as little memory as will do.
SETTINGS = {
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "listen_addresses": HERE,
    "unix_socket_directories": "",
}
#: Sessions that have committed, and wait for the synchronous replica.
END_WAITS = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@dataclass
class PostgresServers:
    """Some places, at the first of which the primary is at the beginning."""

    home: Path
    ports: list[int]
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def fresh_database(self, name: str) -> str:
        """Its URL, which leads to whichever is the primary."""
        self.sql(self.ports[0], f"CREATE DATABASE {name}")
        return f"postgresql://postgres@{','.join(f'{HERE}:{port}' for port in self.ports)}/{name}"

    def url_of(self, port: int, name: str) -> str:
        """Of that database at that server."""
        return f"postgresql://postgres@{HERE}:{port}/{name}"

    def start(self) -> None:
        """All; returns when the others follow the first."""
        first, *others = self.ports
        self._run("initdb", "-D", self._cluster(first), "-U", "postgres", "--auth=trust", "--no-sync")
        self.start_one(first)
        for port in others:
            self.follow(port, first)

    def follow(self, port: int, leader: int) -> None:
        """Begin one anew as a replica of another; returns when it follows that."""
        shutil.rmtree(self._cluster(port), ignore_errors=True)
        before = self._followers(leader)
        where = ("-h", HERE, "-p", str(leader), "-U", "postgres")
        self._run("pg_basebackup", "-D", self._cluster(port), "-R", "-c", "fast", "--no-sync", *where)
        self.start_one(port)
        wait_for(lambda: self._followers(leader) == before + 1)

    def _followers(self, port: int) -> int:
        return int(self.sql(port, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"))

    def synchronous(self, port: int | None = None) -> None:
        """From now on what the first says is committed stands at its replica, too; or of another one than the first."""
        primary = port or self.ports[0]
        self.sql(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql(primary, "SELECT pg_reload_conf()")
        wait_for(lambda: self.sql(primary, "SELECT sync_state FROM pg_stat_replication") == "sync")

    @contextmanager
    def waiting_for_replica(self) -> Iterator[None]:
        """`synchronous` for the time of a block."""
        self.synchronous()
        try:
            yield
        finally:
            self.sql(self.ports[0], "ALTER SYSTEM RESET synchronous_standby_names")
            self.sql(self.ports[0], "SELECT pg_reload_conf()")

    @contextmanager
    def ending_waits(self) -> Iterator[None]:
        """Whoever waits for the replica in this block does so no longer."""
        over = threading.Event()

        def end_again_and_again() -> None:
            while not over.wait(0.05):
                self.sql(self.ports[0], END_WAITS)

        thread = threading.Thread(target=end_again_and_again)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def until_level(self, replica: int) -> None:
        """Wait until it shows all that the first one has now."""
        end = self.sql(self.ports[0], "SELECT pg_current_wal_flush_lsn()")
        wait_for(lambda: self.sql(replica, f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == "t")

    def part(self, port: int | None = None) -> None:
        """From now on the second, or another one, receives nothing of its primary; what it has it keeps."""
        replica = port or self.ports[1]
        self.sql(replica, "ALTER SYSTEM SET primary_conninfo = ''")
        self.sql(replica, "SELECT pg_reload_conf()")
        wait_for(lambda: self.sql(replica, "SELECT count(*) FROM pg_stat_wal_receiver") == "0")

    def start_one(self, port: int) -> None:
        """Returns when it can be asked."""
        words = [str(binary("postgres")), "-D", self._cluster(port), "-p", str(port)]
        for name, value in SETTINGS.items():
            words += ["-c", f"{name}={value}"]
        self.running[port] = spawn(self._program("postgres", words))
        wait_for(lambda: self.sql(port, "SELECT 1") == "1", 60)

    def sql(self, port: int, statement: str, database: str = "postgres") -> str:
        """What it answers; nothing if it does not."""
        url = f"postgresql://postgres@{HERE}:{port}/{database}?connect_timeout=5"
        command = [str(binary("psql")), url, "--no-psqlrc", "--tuples-only", "--no-align", "-c", statement]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60).stdout.strip()

    def kill(self, port: int) -> None:
        """As a lost machine does."""
        process = self.running.pop(port)
        process.send_signal(signal.SIGQUIT)
        process.wait(30)

    def promote(self, port: int) -> None:
        """As its operator does."""
        assert "t" == self.sql(port, "SELECT pg_promote()")

    def stop(self) -> None:
        """All."""
        for port in list(self.running):
            self.kill(port)

    def _cluster(self, port: int) -> str:
        return str(self.home / str(port))

    def _run(self, name: str, *words: str) -> None:
        child = spawn(self._program(name, [str(binary(name)), *words]))
        assert 0 == child.wait(60), (self.home / "log").read_text()

    def _program(self, name: str, words: list[str]) -> Program:
        account = account_for(self.home)
        search = needs_search(account, self.home, binary("postgres"))
        return Program(name, words, self.home, self.home / "log", LADDER, account, search)


@contextmanager
def postgres_servers(data: Path, replicas: int = 1) -> Iterator[PostgresServers]:
    """For the time of a block."""
    ports = [free_port() for _ in range(replicas + 1)]
    servers = PostgresServers(home_in(data, "postgres", account_for(data / "postgres")), ports)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
        shutil.rmtree(servers.home, ignore_errors=True)
