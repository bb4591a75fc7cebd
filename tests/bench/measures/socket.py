"""Cycles of token and increment as commands on live sockets, beside document A's own flow through REST on Express."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache, partial

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.measures.cycles import per_cycle, require_exact
from tests.bench.measures.versus_rest import WARM_UP_S, RestSide
from tests.bench.peers import document_a_subject
from tests.bench.scoreboard_subject import UNREACHED
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, compared, counted, ratio

NAME = "socket"
PEER = "document A, REST"
AHEAD = "ours, 4 ahead"
AT_ONCE = {OURS: 1, AHEAD: 4}  # cycles in flight for each player
FRAMES = {
    "SCOREBOARD_LIMITS_LIVE_FRAMES_PER_SECOND": "1000000",
    "SCOREBOARD_LIMITS_LIVE_FRAMES_PER_SECOND_PER_ADDRESS": "1000000",
}
MARK = Mark(4.0, at_least=True)
PEERS = (AHEAD, PEER)
COMPARED = (
    ("processor: server", "us/cycle", "server_us"),
    ("processor: Postgres", "us/cycle", "postgres_us"),
    ("processor: Valkey", "us/cycle", "valkey_us"),
    ("processor: all three", "us/cycle", "all_us"),
    ("processor: load generator", "us/cycle", "load_us"),
)


class SocketServer:
    """Our server with players on live sockets."""

    def __init__(self, scope: ExitStack, start: SubjectFactory, players: int) -> None:
        self._subject = scope.enter_context(start(**UNREACHED, **FRAMES))
        accounts = [asdict(account) for account in register(self._subject.port, players)]
        generator = Generator("tests.bench.socket_generator", port=self._subject.port, players=accounts)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float, at_once: int) -> dict[str, float]:
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


@dataclass(frozen=True, slots=True)
class SocketSide:
    """The same server and players for both kinds of closed loop: so many cycles at once."""

    server: SocketServer
    at_once: int

    def window(self, seconds: float) -> dict[str, float]:
        """See `SocketServer.window`."""
        return self.server.window(seconds, self.at_once)


class SocketMeasure(SideBySide):
    """The same number of players for each."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        *compared("cycles", "1/s", "cycles_per_s", PEERS, {PEER: MARK}),
        ratio("cycles", "cycles_per_s", AHEAD, PEER, MARK),
        *counted("cycle, median", "ms", "cycle_median", (AHEAD,)),
        *counted("cycle, p99", "ms", "cycle_p99", (AHEAD,)),
        *(figure for row in COMPARED for figure in compared(*row, PEERS, {})),
        *counted("points acknowledged and found", "points", "exact", PEERS),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        @cache
        def server(scope: ExitStack) -> SocketServer:
            return SocketServer(scope, start, options.players)

        def ours(scope: ExitStack, at_once: int) -> SocketSide:
            return SocketSide(server(scope), at_once)

        peer = partial(RestSide, starting=document_a_subject.running, players=options.players)
        sides = {name: partial(ours, at_once=at_once) for name, at_once in AT_ONCE.items()}
        super().__init__({**sides, PEER: peer}, WARM_UP_S, options.window_s / 2)
