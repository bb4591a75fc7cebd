"""Several real Valkeys on ports of this machine, of which one is the primary, and a Sentinel."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scoreboard.stores.embedded_valkey import binary
from tests.served import wait_for

SERVICE = "boards"
HERE = "127.0.0.1"


def free_port() -> int:
    """One that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


@dataclass
class RedisServers:
    """Two nodes, the second a replica of the first at the beginning, and a Sentinel."""

    home: Path
    nodes: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    sentinel: int = field(default_factory=free_port)
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """By the Sentinel."""
        return f"redis+sentinel://{HERE}:{self.sentinel}/{SERVICE}"

    @property
    def nodes_url(self) -> str:
        """By the nodes."""
        return "redis://" + ",".join(f"{HERE}:{port}" for port in self.nodes)

    def start(self) -> None:
        """Both nodes."""
        first, second = self.nodes
        self.start_node(first)
        self.start_node(second, "--replicaof", HERE, str(first))
        wait_for(lambda: self._says(second, "master_link_status:up"))

    def watch(self, primary: int) -> None:
        """Have the Sentinel see to it that there is a primary, which is that one now."""
        conf = self.home / "sentinel.conf"
        rules = {"down-after-milliseconds": 400, "failover-timeout": 3000}
        lines = [f"port {self.sentinel}", f"sentinel monitor {SERVICE} {HERE} {primary} 1"]
        lines += [f"sentinel {rule} {SERVICE} {value}" for rule, value in rules.items()]
        conf.write_text("\n".join(lines) + "\n")
        self._run(self.sentinel, [str(conf), "--sentinel"])
        wait_for(lambda: "num-slaves\n1" in self.ask(self.sentinel, "SENTINEL", "MASTER", SERVICE))

    def start_node(self, port: int, *words: str) -> None:
        """That holds nothing yet."""
        own = ["--port", str(port), "--unixsocket", self.socket(port), "--save", ""]
        self._run(port, [*own, "--repl-diskless-sync-delay", "0", *words])

    def _run(self, port: int, words: Sequence[str]) -> None:
        command = [str(binary()), *words, "--bind", HERE, "--dir", str(self.home), "--logfile", f"{port}.log"]
        self.running[port] = subprocess.Popen(command, cwd=self.home)
        wait_for(lambda: "PONG" in self.ask(port, "PING"))

    def ask(self, port: int, *words: str) -> str:
        """What it says to an operator."""
        command = [str(binary().with_name("valkey-cli")), "-p", str(port), *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30).stdout

    def primary(self) -> int:
        """The port of the one that the Sentinel takes for it."""
        return int(self.ask(self.sentinel, "SENTINEL", "get-master-addr-by-name", SERVICE).split()[1])

    def swap(self) -> None:
        """The other node is the primary, and the one from before follows it: an operator does so.

        Nothing is lost by it: the other one has all that the first one had.
        """
        before = next(port for port in self.nodes if self._says(port, "role:master"))
        [now] = set(self.nodes) - {before}
        wait_for(lambda: self._read(now) == self._read(before))
        self.ask(now, "REPLICAOF", "NO", "ONE")
        self.ask(before, "REPLICAOF", HERE, str(now))
        wait_for(lambda: self._says(before, "role:slave") and self._says(before, "master_link_status:up"))

    def _read(self, port: int) -> str:
        """How much of what was ever written it has."""
        told = self.ask(port, "INFO", "replication").splitlines()
        return next(line for line in told if line.startswith("master_repl_offset:"))

    def _says(self, port: int, text: str) -> bool:
        return text in self.ask(port, "INFO", "replication")

    def socket(self, port: int) -> str:
        """Where it listens, too."""
        return str(self.home / f"{port}.socket")

    def kill(self, port: int) -> None:
        """Without a word."""
        process = self.running.pop(port)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """All."""
        for port in list(self.running):
            self.kill(port)


@contextmanager
def redis_servers(home: Path) -> Iterator[RedisServers]:
    """For the time of a block."""
    servers = RedisServers(home)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
