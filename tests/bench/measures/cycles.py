"""Token and increment cycles through REST: how many, how long each half takes, and what they cost."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Self

from tests.bench.accounts import register, scores
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.subject import Subject, SubjectFactory, Usage


class Inexact(Exception):
    """The server's scores are not the sum of what it acknowledged."""


class CyclesMeasure:
    """Players at once on kept connections; once plainly and once with an Idempotency-Key on each increment.

    After every window the server is asked for each player's score, which must be what was acknowledged.
    """

    names: tuple[str, ...] = ("cycles",)
    figures: tuple[Figure, ...] = (
        Figure("per_s", "cycles", "1/s", Mark(500, at_least=True)),
        Figure("token_median", "token, median", "ms"),
        Figure("token_p99", "token, p99", "ms"),
        Figure("increment_median", "increment, median", "ms"),
        Figure("increment_p99", "increment, p99", "ms"),
        Figure("server_us", "processor: server", "us/cycle"),
        Figure("postgres_us", "processor: Postgres", "us/cycle"),
        Figure("valkey_us", "processor: Valkey", "us/cycle"),
        Figure("generator_us", "processor: load generator", "us/cycle"),
        Figure("keyed_per_s", "cycles with Idempotency-Key", "1/s", Mark(500, at_least=True)),
        Figure("keyed_increment_p99", "increment with key, p99", "ms"),
        Figure("keyed_server_us", "processor: server, with key", "us/cycle"),
        Figure("exact", "points acknowledged and found", "points"),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._subject: Subject
        self._generator: Generator

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(self._start())
        players = [asdict(account) for account in register(self._subject.port, self._options.players)]
        generator = Generator("tests.bench.cycles_generator", port=self._subject.port, players=players)
        self._generator = self._scope.enter_context(generator)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Both kinds, shortly."""
        for keys in (None, "warm"):
            self._generator.ask(seconds=1.0, keys=keys)

    def round(self, number: int) -> Reading:
        """Both kinds, one after the other."""
        plain, used = self._window(None)
        keyed, keyed_used = self._window(f"round{number}")
        found = require_exact(self._subject.port, keyed["scores"])
        values = {
            "per_s": plain["per_s"],
            **{f"{half}_{at}": plain[f"{half}_ms"][at] for half in ("token", "increment") for at in ("median", "p99")},
            **used,
            "keyed_per_s": keyed["per_s"],
            "keyed_increment_p99": keyed["increment_ms"]["p99"],
            "keyed_server_us": keyed_used["server_us"],
            "exact": float(found),
        }
        curves = {half: plain[f"{half}_ms"]["curve"] for half in ("token", "increment")}
        return Reading(values, curves)

    def _window(self, keys: str | None) -> tuple[Command, dict[str, float]]:
        generator_s, before = self._generator.processor_s(), self._subject.usage()
        result = self._generator.ask(seconds=self._options.window_s, keys=keys)
        used = self._subject.usage().since(before)
        generator_us = (self._generator.processor_s() - generator_s) / result["cycles"] * 1e6
        return result, {**per_cycle(used, result["cycles"]), "generator_us": generator_us}


def require_exact(port: int, expected: dict[str, int]) -> int:
    """How many points the server has for these players; raises Inexact when it is not what was acknowledged."""
    found = scores(port, list(expected))
    if found != expected:
        wrong = sum(found[user] != expected[user] for user in expected)
        raise Inexact(f"{wrong} of {len(expected)} players have another score than was acknowledged")
    return sum(found.values())


def per_cycle(used: Usage, cycles: int) -> dict[str, float]:
    """Microseconds a cycle of each part that there is."""
    parts = {"server": used.server_s, **used.stores_s}
    return {f"{name}_us": seconds / cycles * 1e6 for name, seconds in parts.items()}
