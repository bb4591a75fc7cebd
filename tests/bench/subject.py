"""What is measured: a running server, as the load generators and the meters see it."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since the start of each part, user and kernel, all threads, in seconds; -1: there is no such part."""

    server_s: float
    postgres_s: float = -1.0
    redis_s: float = -1.0

    def since(self, earlier: Usage) -> Usage:
        """What was used between two readings."""
        return Usage(
            self.server_s - earlier.server_s,
            self.postgres_s - earlier.postgres_s if self.postgres_s >= 0 else -1.0,
            self.redis_s - earlier.redis_s if self.redis_s >= 0 else -1.0,
        )


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
    if sys.platform == "linux":
        return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of that process, as clock_getcpuclockid(3) makes it
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


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
