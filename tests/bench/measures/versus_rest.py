"""Cycles of token and increment through REST, ours and document A's own flow on Express, side by side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from functools import partial
from typing import Self

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.measures.cycles import per_cycle, require_exact
from tests.bench.peers import document_a_subject
from tests.bench.peers.programs import Absent
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, compared, counted, in_turn, with_ratios

NAME = "versus-rest"
#: The flow to the letter, which broadcasts for every score, and held to a broadcast a second, as ours is.
PEERS = {"document A": {}, "A, 1 broadcast/s": {"BROADCAST_MS": "1000"}}
#: Counted but never reached, as the peer's are.
LIMITS = {"SCOREBOARD_LIMITS_TOKENS_PER_MINUTE": "1000000", "SCOREBOARD_LIMITS_INCREMENTS_PER_MINUTE": "1000000"}
MARK = Mark(1.25, at_least=True)
COMPARED = (
    ("token, median", "ms", "token_median"),
    ("token, p99", "ms", "token_p99"),
    ("increment, median", "ms", "increment_median"),
    ("increment, p99", "ms", "increment_p99"),
    ("processor: server", "us/cycle", "server_us"),
    ("processor: Postgres", "us/cycle", "postgres_us"),
    ("processor: Valkey", "us/cycle", "valkey_us"),
    ("processor: all three", "us/cycle", "all_us"),
    ("processor: load generator", "us/cycle", "load_us"),
)
WARM_UP_S = 2.0  # Node compiles what is hot only after a while


class Side:
    """One server with its players and their generator."""

    def __init__(self, scope: ExitStack, start: Callable[[], AbstractContextManager[Subject]], players: int) -> None:
        self._subject = scope.enter_context(start())
        accounts = [asdict(account) for account in register(self._subject.port, players)]
        generator = Generator("tests.bench.cycles_generator", port=self._subject.port, players=accounts)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, begun when what was before is done with, and its exactness."""
        wait_until_quiet(self._subject)
        generator_s, before = self._generator.processor_s(), self._subject.usage()
        result = self._generator.ask(seconds=seconds, keys=None)
        used = per_cycle(self._subject.usage().since(before), result["cycles"])
        generator_us = (self._generator.processor_s() - generator_s) / result["cycles"] * 1e6
        halves = {
            f"{half}_{at}": result[f"{half}_ms"][at] for half in ("token", "increment") for at in ("median", "p99")
        }
        exact = float(require_exact(self._subject.port, result["scores"]))
        all_us = sum(used.values())
        return {
            "cycles_per_s": result["per_s"],
            **halves,
            **used,
            "all_us": all_us,
            "load_us": generator_us,
            "exact": exact,
        }


class VersusRestMeasure:
    """The same players, requests and exactness check for each; one after the other in each round, in turning order."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *compared("cycles", "1/s", "cycles_per_s", tuple(PEERS), dict.fromkeys(PEERS, MARK)),
        *(figure for row in COMPARED for figure in compared(*row, tuple(PEERS), {})),
        *counted("points acknowledged and found", "points", "exact", tuple(PEERS)),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._starts: dict[str, Callable[[], AbstractContextManager[Subject]]] = {OURS: partial(start, **LIMITS)}
        self._starts |= {name: partial(document_a_subject.running, **settings) for name, settings in PEERS.items()}
        self._options = options
        self._scope = ExitStack()
        self._sides: dict[str, Side] = {}
        self.left_out: dict[str, str] = {}

    def __enter__(self) -> Self:
        for name, start in self._starts.items():
            try:
                self._sides[name] = Side(self._scope, start, self._options.players)
            except Absent as reason:
                self.left_out[name] = str(reason)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All."""
        for side in self._sides.values():
            side.window(WARM_UP_S)

    def round(self, number: int) -> Reading:
        """All; whoever was first is last in the next round."""
        seconds = self._options.window_s / 2
        return with_ratios({name: self._sides[name].window(seconds) for name in in_turn(self._sides, number)})
