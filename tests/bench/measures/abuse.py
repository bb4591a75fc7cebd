"""Clients hold on to the server in fifteen ways at once: what honest players notice, and what is left of it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Self

import psutil

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.measures.cycles import require_exact
from tests.bench.numbers import read_numbers
from tests.bench.scoreboard_subject import ScoreboardSubject
from tests.bench.subject import SubjectFactory, wait_until_quiet

NAME = "abuse"
PLAYERS = 8
EACH = 4
EVERY_S = 0.02
#: For everybody to have come, and the first to have been cut and to be back.
AHEAD_S = 2.0
MIB = 2**20
#: Of who played meanwhile.
DESCRIPTORS, TASKS = 5, 12
#: A session of Socket.IO that nobody joins has ten seconds.
BACK_WITHIN_S, LOOK_S = 40.0, 0.25
_WHEN = {"plain": "alone", "siege": "besieged"}


class AbuseMeasure:
    """In turn: players who score evenly and one who pings, alone and besieged; then what the server still holds."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *(
            Figure(f"{when}_{what}_{at}", f"{label}, {told}, {at}", "ms")
            for what, label in (("cycle", "token and increment"), ("ping", "ping on a live socket"))
            for at in ("median", "p99")
            for when, told in _WHEN.items()
        ),
        Figure("cycle_ratio", "p99 of token and increment, besieged by alone", "times", Mark(2)),
        Figure("ping_ratio", "p99 of a ping, besieged by alone", "times", Mark(2)),
        Figure("plain_server", "processor: server, alone", "% of a core"),
        Figure("siege_server", "processor: server, besieged", "% of a core"),
        Figure("besiegers", "processor: who besieges", "% of a core"),
        Figure("given_back", "until descriptors and tasks are given back", "s"),
        Figure("memory", "memory that is left of a siege", "MiB"),
        Figure("descriptors", "descriptors that are left of it", "descriptors", Mark(DESCRIPTORS)),
        Figure("tasks", "tasks that are left of it", "tasks", Mark(TASKS)),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._subject: ScoreboardSubject
        self._honest: Generator
        self._siege: Generator

    def __enter__(self) -> Self:
        subject = self._scope.enter_context(self._start())
        assert isinstance(subject, ScoreboardSubject)
        self._subject = subject
        players = [asdict(account) for account in register(subject.port, PLAYERS)]
        honest = Generator("tests.bench.honest_generator", port=subject.port, players=players)
        self._honest = self._scope.enter_context(honest)
        self._siege = self._scope.enter_context(Generator("tests.bench.siege_generator", port=subject.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Both, shortly."""
        self._siege.begin(seconds=2.0, each=EACH, ways=None)
        self._honest.ask(count=50, every_s=EVERY_S)
        self._siege.result()
        wait_until_quiet(self._subject)

    def round(self, number: int) -> Reading:
        """Both ways, the other one first in each second round."""
        told = dict[str, float]()
        for when in sorted(_WHEN, reverse=bool(number % 2)):
            held = self._held()
            told |= self._besieged() if when == "siege" else self._stretch(when)
            if when == "siege":
                told |= self._left(held)
            wait_until_quiet(self._subject)
        told |= {f"{what}_ratio": told[f"siege_{what}_p99"] / told[f"plain_{what}_p99"] for what in ("cycle", "ping")}
        return Reading(told)

    def _besieged(self) -> dict[str, float]:
        used_s, began = self._siege.processor_s(), time.monotonic()
        self._siege.begin(seconds=AHEAD_S + self._options.window_s, each=EACH, ways=None)
        time.sleep(AHEAD_S)
        told = self._stretch("siege")
        self._siege.result()
        return {**told, "besiegers": 100 * (self._siege.processor_s() - used_s) / (time.monotonic() - began)}

    def _stretch(self, when: str) -> dict[str, float]:
        before, began = self._subject.usage(), time.monotonic()
        told: Command = self._honest.ask(count=round(self._options.window_s / EVERY_S), every_s=EVERY_S)
        share = 100 * self._subject.usage().since(before).server_s / (time.monotonic() - began)
        require_exact(self._subject.port, told["scores"])
        found = {
            f"{when}_{what}_{at}": told[f"{what}_ms"][at] for what in ("cycle", "ping") for at in ("median", "p99")
        }
        return {**found, f"{when}_server": share}

    def _left(self, before: dict[str, float]) -> dict[str, float]:
        """Once it is as little as it may be, or a while is over."""
        began, left = time.monotonic(), self._more_than(before)
        while (left["descriptors"] > DESCRIPTORS or left["tasks"] > TASKS) and time.monotonic() < began + BACK_WITHIN_S:
            time.sleep(LOOK_S)
            left = self._more_than(before)
        return {**left, "given_back": time.monotonic() - began}

    def _more_than(self, before: dict[str, float]) -> dict[str, float]:
        return {name: value - before[name] for name, value in self._held().items()}

    def _held(self) -> dict[str, float]:
        process = psutil.Process(self._subject.pid)
        return {
            "memory": process.memory_info().rss / MIB,
            "descriptors": process.num_fds(),
            "tasks": read_numbers(self._subject.port).values["event_loop_tasks"],
        }
