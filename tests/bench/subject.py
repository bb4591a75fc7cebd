"""What is measured: a running server, as the load generators and the meters see it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

QUIET_STEP_S, QUIET_SHARE, QUIET_WITHIN_S = 0.25, 0.03, 10.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since its start, user and kernel, all threads, in seconds: of the server, and of each store."""

    server_s: float
    stores_s: Mapping[str, float] = field(default_factory=dict)

    def since(self, earlier: Usage) -> Usage:
        """What was used between two readings."""
        stores_s = {name: seconds - earlier.stores_s.get(name, 0.0) for name, seconds in self.stores_s.items()}
        return Usage(self.server_s - earlier.server_s, stores_s)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the server's process, in bytes: resident, and with shared pages counted in proportion."""

    rss: int
    pss: int


class Subject(Protocol):
    """A running server with document A's REST and, for the feed, a live socket."""

    port: int
    tick_s: float

    def usage(self) -> Usage:
        """The processor time until now."""

    def memory(self) -> Memory:
        """The memory now."""


class SubjectFactory(Protocol):
    """Starts a fresh server with empty stores; leaving the scope ends it and removes what it wrote."""

    def __call__(self, **settings: str) -> AbstractContextManager[Subject]:
        """`settings` are the server's own environment variables."""


def processor_s(pid: int) -> float:
    """Processor time of one process with all its threads; on Linux by the scheduler's clock, exact to nanoseconds."""
    if Path("/proc/self/stat").exists():
        return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of that process, as clock_getcpuclockid(3) makes it
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def wait_until_quiet(subject: Subject) -> None:
    """Until the server has done what it had to do: it uses hardly any processor time, or a while is over."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    used_s, share = subject.usage().server_s, 1.0
    while share > QUIET_SHARE and time.monotonic() < deadline:
        time.sleep(QUIET_STEP_S)
        before_s, used_s = used_s, subject.usage().server_s
        share = (used_s - before_s) / QUIET_STEP_S


def tree_processor_s(process: psutil.Process) -> float:
    """Of a process, its living descendants, and those that it has waited for."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            reaped = each.cpu_times()
            total += processor_s(each.pid) + reaped.children_user + reaped.children_system
        except (psutil.NoSuchProcess, OSError):
            continue  # it ended just now; its parent's next reading has it
    return total


def memory_of(pid: int) -> Memory:
    """RSS and PSS; where the system has no PSS, RSS for both."""
    process = psutil.Process(pid)
    rss = int(process.memory_info().rss)
    full = process.memory_full_info()
    return Memory(rss, int(getattr(full, "pss", rss)))
