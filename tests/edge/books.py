"""What a server holds: its processes, their memory, tasks and descriptors, its sessions with Postgres; and its log."""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from scoreboard.settings import Stores
from tests.bench.numbers import query, read_numbers
from tests.served import ServedScoreboard, wait_for
from tests.workers import log_of, worker_pids

MIB = 2**20
#: A server that has been busy keeps what it made room for.
GROWTH = 48 * MIB
#: Sessions with Postgres that a process may have: it makes them when it first needs them, and keeps them.
POOL = Stores().postgres_connections
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class Books:
    """At one moment, of all processes that serve together."""

    pids: frozenset[int]
    tasks: int
    descriptors: int
    sessions: int
    resident: int

    def is_back_at(self, before: Books) -> bool:
        """Whether nothing is held that was not held then, but for actors of who played meanwhile."""
        return (
            self.pids == before.pids
            and self.tasks <= before.tasks + 12 * len(self.pids)
            and self.descriptors - self.sessions <= before.descriptors - before.sessions + 5 * len(self.pids)
            and self.sessions <= POOL * len(self.pids)
            and self.resident <= before.resident + GROWTH * len(self.pids)
        )


def books_of(server: ServedScoreboard, workers: int = 1) -> Books:
    """Read them."""
    assert server.process is not None
    pids = set(worker_pids(server).values()) if workers > 1 else {server.process.pid}
    serving = [psutil.Process(pid) for pid in pids]
    return Books(
        frozenset(pids),
        int(read_numbers(server.port).values["event_loop_tasks"]),
        sum(each.num_fds() for each in serving),
        int(query(server.data, _SESSIONS)),
        sum(each.memory_info().rss for each in serving),
    )


def wait_until_back(read: Callable[[], Books], before: Books, within_s: float = 30.0) -> None:
    """Wait until all is as it was; fails with what is not."""
    wait_for(lambda: read().is_back_at(before), within_s, lambda: f"{before} became {read()}")


def refused(server: ServedScoreboard) -> Counter[str]:
    """What the door has counted, by its reason."""
    return _counted(server, "door_connections_refused_total", "reason")


def answers(server: ServedScoreboard) -> Counter[str]:
    """How many requests were answered, by the status."""
    return _counted(server, "http_requests_total", "status_code")


def complaints(server: ServedScoreboard) -> Counter[str]:
    """How many lines of its log are no mere information, by what they say; not how long turns took on this machine."""
    lines = (line for line in log_of(server) if line["level"] not in ("info", "debug"))
    return Counter(line["event"] for line in lines if line["event"] != "loop_held")


def most_of_a_kind(server: ServedScoreboard) -> int:
    """The most lines of its log that say the same of connections that were refused."""
    lines = (line for line in log_of(server) if line["event"] == "connections_refused")
    return max(Counter(line["reason"] for line in lines).values(), default=0)


def _counted(server: ServedScoreboard, name: str, label: str) -> Counter[str]:
    """The sums of a metric over all workers and all but one of its labels."""
    found = Counter[str]()
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30.0) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name}{{"):
                found[line.split(f'{label}="')[1].split('"')[0]] += int(float(line.split()[-1]))
    return found
