"""Document A's own flow on Express as a subject: a process of its own on fresh, embedded stores."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.peers.programs import HERE, node
from tests.bench.peers.speaking import speaking
from tests.bench.scoreboard_subject import TOP
from tests.bench.subject import Memory, Usage, memory_of, processor_s, tree_processor_s


class DocumentASubject:
    """A started peer; `running` makes and ends it."""

    tick_s = 1.0

    def __init__(self, port: int, pid: int, stores_pid: int) -> None:
        self.port = port
        self._pid = pid
        self._stores = psutil.Process(stores_pid)

    def usage(self) -> Usage:
        """The processor time until now."""
        stores = {child.name().partition("-")[0]: tree_processor_s(child) for child in self._stores.children()}
        return Usage(processor_s(self._pid), stores)

    def memory(self) -> Memory:
        """The memory now."""
        return memory_of(self._pid)


@contextmanager
def running(**settings: str) -> Iterator[DocumentASubject]:
    """The peer, ready, until the end of the scope; `settings` are more environment variables.

    Raises:
        Absent: Node is missing.
        PeerFailed: it did not start.
    """
    program = node()
    home = Path(tempfile.mkdtemp(prefix="scoreboard-bench-"))
    home.chmod(0o755)  # the embedded stores may run under another account
    try:
        with speaking([sys.executable, "-m", "tests.bench.peers.stores", str(home)], TOP) as stores:
            sockets = json.loads(stores.line())
            environment = {
                "NODE_ENV": "production",
                "PGHOST": sockets["postgres"],
                "PGUSER": "postgres",
                "PGDATABASE": "scoreboard",
                "REDIS_SOCKET": sockets["redis"],
                **settings,
            }
            with speaking([program, "document_a/server.js"], HERE, **environment) as server:
                yield DocumentASubject(server.port(), server.pid, stores.pid)
    finally:
        shutil.rmtree(home, ignore_errors=True)
