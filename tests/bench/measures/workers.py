"""Cycles of token and increment through REST with one worker, with two and of document A's own flow; and what two cost.

How soon a score shows at the other worker, what two workers use while nobody asks anything, how connections are shared.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import cast

import psutil

from tests.bench.accounts import register, scores
from tests.bench.delay import Delays
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.measures.cycles import Inexact, per_cycle
from tests.bench.peers import document_a_subject
from tests.bench.scoreboard_subject import UNREACHED, ScoreboardSubject, running
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet
from tests.bench.versus import counted, ratio, side_key

NAME = "workers"
ONE, TWO, PEER = "1 worker", "2 workers", "document A"
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
)
ABOUT_TWO = (
    ("a score shows at the other worker after, median", "ms", "delay_median"),
    ("... at most", "ms", "delay_most"),
    ("processor while nobody asks: server", "ms/s", "idle_ms"),
    ("fewest of 1,000 sockets at a worker", "sockets", "fewest"),
)
COMPARED = (
    ("cycles_per_s", ONE, None),
    ("cycles_per_s", PEER, MARK),
    ("server_us", ONE, None),
    ("all_us", ONE, None),
    ("all_us", PEER, None),
)
LABELS = {key: label for label, _, key in QUANTITIES}
SOCKETS, APART_S = 1_000, 0.001
SHOWN_WITHIN_S = 10.0
#: Connections of their own on which the boards are asked, so that every worker is.
ASKED = 8
WARM_UP_S = 2.0
#: Scores of which each must show at the other worker, so far apart.
SCORES, SCORES_APART_S = 40, 0.05
IDLE_S = 3.0

Starting = Callable[[], AbstractContextManager[Subject]]
START = cast(SubjectFactory, running)


class CyclesSide:
    """One server, its players and their generator; and one player whom that does not know."""

    def __init__(self, scope: ExitStack, starting: Starting, players: int) -> None:
        self._subject = scope.enter_context(starting())
        *accounts, self.spare = register(self._subject.port, players + 1)
        generator = Generator(
            "tests.bench.cycles_generator", port=self._subject.port, players=[asdict(each) for each in accounts]
        )
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


class TwoSide(CyclesSide):
    """Two workers, and what there is to be seen of them alone."""

    def __init__(self, scope: ExitStack, players: int) -> None:
        super().__init__(scope, partial(START, SCOREBOARD_WORKERS="2", **UNREACHED), players)
        self._server = cast(ScoreboardSubject, self._subject)

    def window(self, seconds: float) -> dict[str, float]:
        """The same, and what follows when the load has ended."""
        cycles = super().window(seconds)
        wait_until_quiet(self._server)
        with closing(Delays(self._server, self.spare)) as delays:
            taken = delays.take(SCORES, SCORES_APART_S)
        return {
            **cycles,
            "delay_median": median(taken),
            "delay_most": max(taken),
            "idle_ms": self._idle_ms(),
            "fewest": float(self._fewest()),
        }

    def _idle_ms(self) -> float:
        """The processor time of parent and workers in a second in which nobody asks anything."""
        wait_until_quiet(self._server)
        before = self._server.usage()
        time.sleep(IDLE_S)
        return self._server.usage().since(before).server_s / IDLE_S * 1e3

    def _fewest(self) -> int:
        """Of many connections that come one after the other and stay, those of the worker that has the fewest."""
        lines = []
        try:
            for _ in range(SOCKETS):
                lines.append(socket.create_connection(("127.0.0.1", self._server.port)))
                time.sleep(APART_S)
            mine = {line.getsockname()[1] for line in lines}
            return min(_accepted(worker, mine) for worker in self._server.workers())
        finally:
            for line in lines:
                line.close()


def _accepted(worker: psutil.Process, clients: set[int]) -> int:
    return sum(bool(each.raddr) and each.raddr.port in clients for each in worker.net_connections("tcp"))


class WorkersMeasure(SideBySide):
    """The same players and requests for all, in turns."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *(figure for row in QUANTITIES for figure in counted(*row, (TWO, PEER), mine=ONE)),
        *(Figure(side_key(key, TWO), label, unit, side=TWO) for label, unit, key in ABOUT_TWO),
        *(ratio(LABELS[key], key, TWO, peer, mark) for key, peer, mark in COMPARED),
    )

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        players = options.players
        sides: dict[str, Callable[[ExitStack], CyclesSide]] = {
            ONE: partial(CyclesSide, starting=partial(START, **UNREACHED), players=players),
            TWO: partial(TwoSide, players=players),
            PEER: partial(CyclesSide, starting=document_a_subject.running, players=players),
        }
        super().__init__(sides, WARM_UP_S, options.window_s / 2)
