"""The page of the first rows, beside a route that does nothing on a plain Quart and a plain Hypercorn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.peers.speaking import speaking
from tests.bench.scoreboard_subject import TOP
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import Memory, Subject, SubjectFactory, Usage, memory_of, processor_s, wait_until_quiet
from tests.bench.versus import OURS, compared

NAME = "top"
PATH = "/api/scores/top"
PEER = "empty Quart route"
#: Within 15 % of the empty route.
MARKS = {"per_s": Mark(0.87, at_least=True), "server_us": Mark(1.15)}
COMPARED = (("answers", "1/s", "per_s"), ("processor: server", "us/answer", "server_us"))
WARM_UP_S = 1.0


class EmptyRouteSubject:
    """The peer."""

    tick_s = 1.0

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def usage(self) -> Usage:
        """The processor time until now."""
        return Usage(processor_s(self._pid))

    def memory(self) -> Memory:
        """The memory now."""
        return memory_of(self._pid)


@contextmanager
def empty_route() -> Iterator[EmptyRouteSubject]:
    """The peer, listening, until the end of the scope."""
    with speaking([sys.executable, "-m", "tests.bench.peers.empty_quart"], TOP) as peer:
        yield EmptyRouteSubject(peer.port(), peer.pid)


class TopSide:
    """One server and its clients."""

    def __init__(self, scope: ExitStack, start: Callable[[], AbstractContextManager[Subject]], clients: int) -> None:
        self.subject = scope.enter_context(start())
        generator = Generator("tests.bench.gets_generator", port=self.subject.port, path=PATH, clients=clients)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, begun when what was before is done with."""
        wait_until_quiet(self.subject)
        before = self.subject.usage()
        result = self._generator.ask(seconds=seconds)
        used = self.subject.usage().since(before)
        return {"per_s": result["per_s"], "server_us": used.server_s / result["requests"] * 1e6}


class TopMeasure(SideBySide):
    """The same clients and requests for both."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = tuple(
        figure for label, unit, key in COMPARED for figure in compared(label, unit, key, (PEER,), {PEER: MARKS[key]})
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        def ours(scope: ExitStack) -> TopSide:
            side = TopSide(scope, start, options.players)
            register(side.subject.port, options.players)  # ten rows are shown
            return side

        def empty(scope: ExitStack) -> TopSide:
            return TopSide(scope, empty_route, options.players)

        super().__init__({OURS: ours, PEER: empty}, WARM_UP_S, options.window_s / 2)
