"""Cycles of token and increment as commands on live sockets, beside document A's own flow through REST on Express."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Self

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.measures.cycles import per_cycle, require_exact
from tests.bench.measures.versus_rest import LIMITS, WARM_UP_S, Side
from tests.bench.peers import document_a_subject
from tests.bench.peers.programs import Absent
from tests.bench.subject import SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, compared, counted, in_turn, with_ratios

NAME = "socket"
PEER = "document A, REST"
AHEAD = "ours, 4 ahead"
SIDES = {OURS: 1, AHEAD: 4}  # cycles in flight for each player
FRAMES = {"SCOREBOARD_LIMITS_LIVE_FRAMES_PER_SECOND": "1000000"}
MARK = Mark(4.0, at_least=True)
PEERS = (AHEAD, PEER)
COMPARED = (
    ("processor: server", "us/cycle", "server_us"),
    ("processor: Postgres", "us/cycle", "postgres_us"),
    ("processor: Valkey", "us/cycle", "valkey_us"),
    ("processor: all three", "us/cycle", "all_us"),
    ("processor: load generator", "us/cycle", "load_us"),
)


class SocketSide:
    """Our server with players on live sockets, closed loops of so many cycles at once."""

    def __init__(self, scope: ExitStack, start: SubjectFactory, players: int) -> None:
        self._subject = scope.enter_context(start(**LIMITS, **FRAMES))
        accounts = [asdict(account) for account in register(self._subject.port, players)]
        generator = Generator("tests.bench.socket_generator", port=self._subject.port, players=accounts)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float, *, at_once: int) -> dict[str, float]:
        """A window of load, begun when what was before is done with, and its exactness."""
        wait_until_quiet(self._subject)
        generator_s, before = self._generator.processor_s(), self._subject.usage()
        result = self._generator.ask(seconds=seconds, at_once=at_once)
        used = per_cycle(self._subject.usage().since(before), result["cycles"])
        return {
            "cycles_per_s": result["per_s"],
            "cycle_median": result["cycle_ms"]["median"],
            "cycle_p99": result["cycle_ms"]["p99"],
            **used,
            "all_us": sum(used.values()),
            "load_us": (self._generator.processor_s() - generator_s) / result["cycles"] * 1e6,
            "exact": float(require_exact(self._subject.port, result["scores"])),
        }


class SocketMeasure:
    """The same number of players for each; one after the other in each round, in turning order."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *compared("cycles", "1/s", "cycles_per_s", PEERS, {PEER: MARK}),
        *counted("cycle, median", "ms", "cycle_median", (AHEAD,)),
        *counted("cycle, p99", "ms", "cycle_p99", (AHEAD,)),
        *(figure for row in COMPARED for figure in compared(*row, PEERS, {})),
        *counted("points acknowledged and found", "points", "exact", PEERS),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._ours: SocketSide
        self._peer: Side | None = None
        self.left_out: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._ours = SocketSide(self._scope, self._start, self._options.players)
        try:
            self._peer = Side(self._scope, partial(document_a_subject.running), self._options.players)
        except Absent as reason:
            self.left_out[PEER] = str(reason)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All."""
        for name in self._names():
            self._window(name, WARM_UP_S)

    def round(self, number: int) -> Reading:
        """All; whoever was first is last in the next round."""
        seconds = self._options.window_s / 2
        return with_ratios({name: self._window(name, seconds) for name in in_turn(self._names(), number)})

    def _names(self) -> list[str]:
        return [*SIDES, *([PEER] if self._peer is not None else [])]

    def _window(self, name: str, seconds: float) -> dict[str, float]:
        if name == PEER and self._peer is not None:
            return self._peer.window(seconds)
        return self._ours.window(seconds, at_once=SIDES[name])
