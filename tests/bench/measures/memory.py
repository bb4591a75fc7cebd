"""Resident memory of the server without and with live clients."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Self

from tests.bench.accounts import register, scores
from tests.bench.figure import Figure, Options, Reading
from tests.bench.generator import Generator
from tests.bench.subject import Memory, Subject, SubjectFactory

SETTLE_S = 1.0
MIB = 1024 * 1024


class MemoryMeasure:
    """A fresh server each round, because a process keeps what it has once used.

    The first figure is taken after some requests and one client, so that what is loaded on first use is not counted as
    the clients'. Buffers of the kernel are in neither.
    """

    names: tuple[str, ...] = ("memory",)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._count = options.viewers
        self.figures: tuple[Figure, ...] = (
            Figure("rss_0", "resident, no client", "MiB"),
            Figure("rss_n", f"resident, {self._count:,} clients", "MiB"),
            Figure("pss_0", "proportional, no client", "MiB"),
            Figure("pss_n", f"proportional, {self._count:,} clients", "MiB"),
            Figure("per_client", "resident, a client", "KiB"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Each round has ended what it started."""

    def warm_up(self) -> None:
        """A fresh server needs none."""

    def round(self, number: int) -> Reading:
        """Start, join, read."""
        before, after = grown_by_clients(self._start, self._count)
        return Reading(
            {
                "rss_0": before.rss / MIB,
                "rss_n": after.rss / MIB,
                "pss_0": before.pss / MIB,
                "pss_n": after.pss / MIB,
                "per_client": (after.rss - before.rss) / self._count / 1024,
            }
        )


def grown_by_clients(start: SubjectFactory, count: int, dialect: str = "scoreboard") -> tuple[Memory, Memory]:
    """The memory of a fresh server before and after so many clients came."""
    with ExitStack() as scope:
        subject = scope.enter_context(start())
        generator = Generator("tests.bench.viewers_generator", port=subject.port, dialect=dialect)
        viewers = scope.enter_context(generator)
        scores(subject.port, [account.user_id for account in register(subject.port, 10)])
        viewers.ask(connect=1)
        before = _settled(subject)
        viewers.ask(connect=count)
        return before, _settled(subject)


def _settled(subject: Subject) -> Memory:
    time.sleep(SETTLE_S)  # what the server does after a client's first board
    return subject.memory()
