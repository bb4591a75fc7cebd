"""Cycles of token and increment through REST with one worker and with two, and how connections are shared out."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import cast

import psutil

from tests.bench.accounts import register, scores
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.measures.cycles import Inexact, per_cycle
from tests.bench.scoreboard_subject import UNREACHED, ScoreboardSubject, running
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import SubjectFactory, wait_until_quiet
from tests.bench.versus import ratio, side_key

NAME = "workers"
ONE, TWO = "1 worker", "2 workers"
#: Two processes on two processors, of which the load and the stores want their part, too.
MARK = Mark(1.8, at_least=True)
QUANTITIES = (
    ("cycles", "1/s", "cycles_per_s"),
    ("token, median", "ms", "token_median"),
    ("increment, median", "ms", "increment_median"),
    ("increment, p99", "ms", "increment_p99"),
    ("processor: server", "us/cycle", "server_us"),
    ("processor: Postgres", "us/cycle", "postgres_us"),
    ("processor: Valkey", "us/cycle", "valkey_us"),
    ("processor: load generator", "us/cycle", "load_us"),
    ("processor: all of these", "us/cycle", "all_us"),
    ("processors that these used", "", "processors"),
    ("points acknowledged and shown by all", "points", "exact"),
    ("fewest of 1,000 sockets at a worker", "sockets", "fewest"),
)
COMPARED = {"cycles_per_s": MARK, "server_us": None, "all_us": None}
SOCKETS, APART_S = 1_000, 0.001
SHOWN_WITHIN_S = 10.0
#: Connections of their own on which the boards are asked, so that every worker is.
ASKED = 8
WARM_UP_S = 2.0


class WorkersSide:
    """One server with so many workers, its players and their generator."""

    def __init__(self, scope: ExitStack, workers: int, players: int) -> None:
        starting = cast(SubjectFactory, running)(SCOREBOARD_WORKERS=str(workers), **UNREACHED)
        self._subject = cast(ScoreboardSubject, scope.enter_context(starting))
        self._workers = workers
        accounts = [asdict(account) for account in register(self._subject.port, players)]
        generator = Generator("tests.bench.cycles_generator", port=self._subject.port, players=accounts)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, begun when what was before is done with, and its exactness on all boards."""
        wait_until_quiet(self._subject)
        generator_s, before, began = self._generator.processor_s(), self._subject.usage(), time.monotonic()
        result = self._generator.ask(seconds=seconds, keys=None)
        lasted_s = time.monotonic() - began
        used = per_cycle(self._subject.usage().since(before), result["cycles"])
        load_us = (self._generator.processor_s() - generator_s) / result["cycles"] * 1e6
        all_us = sum(used.values()) + load_us
        halves = {
            f"{half}_{at}": result[f"{half}_ms"][at] for half in ("token", "increment") for at in ("median", "p99")
        }
        return {
            "cycles_per_s": result["per_s"],
            **halves,
            **used,
            "load_us": load_us,
            "all_us": all_us,
            "processors": all_us * result["cycles"] / 1e6 / lasted_s,
            "exact": float(self._shown(result["scores"])),
            **({"fewest": float(self._fewest())} if self._workers > 1 else {}),
        }

    def _shown(self, expected: dict[str, int]) -> int:
        """The points that all boards show, once they do; raises Inexact when that takes too long."""
        give_up = time.monotonic() + SHOWN_WITHIN_S
        equal = 0
        while equal < ASKED:
            equal = equal + 1 if scores(self._subject.port, list(expected)) == expected else 0
            if time.monotonic() > give_up:
                raise Inexact(f"after {SHOWN_WITHIN_S:g} s not all workers show what was acknowledged")
        return sum(expected.values())

    def _fewest(self) -> int:
        """Of many connections that come one after the other and stay, those of the worker that has the fewest."""
        port, lines = self._subject.port, []
        try:
            for _ in range(SOCKETS):
                lines.append(socket.create_connection(("127.0.0.1", port)))
                time.sleep(APART_S)
            mine = {line.getsockname()[1] for line in lines}
            return min(_accepted(worker, mine) for worker in self._subject.workers())
        finally:
            for line in lines:
                line.close()


def _accepted(worker: psutil.Process, clients: set[int]) -> int:
    return sum(bool(each.raddr) and each.raddr.port in clients for each in worker.net_connections("tcp"))


class WorkersMeasure(SideBySide):
    """The same players and requests for both, in turns."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *(
            Figure(side_key(key, side), label, unit, side=side)
            for label, unit, key in QUANTITIES
            for side in (ONE, TWO)
        ),
        *(ratio(label, key, TWO, ONE, COMPARED[key]) for label, _, key in QUANTITIES if key in COMPARED),
    )

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        counts = {ONE: 1, TWO: 2}
        sides = {name: partial(WorkersSide, workers=count, players=options.players) for name, count in counts.items()}
        super().__init__(sides, WARM_UP_S, options.window_s / 2)
