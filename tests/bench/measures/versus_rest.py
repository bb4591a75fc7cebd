"""Cycles of token and increment through REST, ours and document A's own flow on Express, side by side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from functools import partial

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.measures.cycles import per_cycle, require_exact
from tests.bench.peers import document_a_subject
from tests.bench.scoreboard_subject import UNREACHED
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, compared, counted

NAME = "versus-rest"
#: The flow to the letter, which broadcasts for every score, and held to a broadcast a second, as ours is.
PEERS = {"document A": {}, "A, 1 broadcast/s": {"BROADCAST_MS": "1000"}}
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

Starting = Callable[[], AbstractContextManager[Subject]]


class RestSide:
    """One server with its players and their generator."""

    def __init__(self, scope: ExitStack, starting: Starting, players: int) -> None:
        self._subject = scope.enter_context(starting())
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


class VersusRestMeasure(SideBySide):
    """The same players, requests and exactness check for each."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *compared("cycles", "1/s", "cycles_per_s", tuple(PEERS), dict.fromkeys(PEERS, MARK)),
        *(figure for row in COMPARED for figure in compared(*row, tuple(PEERS), {})),
        *counted("points acknowledged and found", "points", "exact", tuple(PEERS)),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        ours: Starting = partial(start, **UNREACHED)  # as the peers' are
        peers: dict[str, Starting] = {
            name: partial(document_a_subject.running, **settings) for name, settings in PEERS.items()
        }
        sides = {
            name: partial(RestSide, starting=starting, players=options.players)
            for name, starting in {OURS: ours, **peers}.items()
        }
        super().__init__(sides, WARM_UP_S, options.window_s / 2)
