"""The page of the first rows in both documents' forms, beside an empty route on a plain Quart and a plain Hypercorn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options
from tests.bench.generator import Generator
from tests.bench.peers.speaking import speaking
from tests.bench.scoreboard_subject import TOP
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import Memory, Subject, SubjectFactory, Usage, memory_of, processor_s, wait_until_quiet
from tests.bench.versus import OURS, compared, ratio

NAME = "top"
PATH, V1_PATH = "/api/scores/top", "/api/v1/leaderboard/top"
V1, PEER = "ours, document B", "empty Quart route"
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
    """One server and the clients of one address."""

    def __init__(self, scope: ExitStack, subject: Subject, path: str, clients: int) -> None:
        self.subject = subject
        generator = Generator("tests.bench.gets_generator", port=subject.port, path=path, clients=clients)
        self._generator = scope.enter_context(generator)

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, begun when what was before is done with."""
        wait_until_quiet(self.subject)
        before = self.subject.usage()
        result = self._generator.ask(seconds=seconds)
        used = self.subject.usage().since(before)
        return {"per_s": result["per_s"], "server_us": used.server_s / result["requests"] * 1e6}


class TopMeasure(SideBySide):
    """The same clients and requests for all; both documents' pages are of one server."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = tuple(
        figure
        for label, unit, key in COMPARED
        for figure in (
            *compared(label, unit, key, (V1, PEER), {PEER: MARKS[key]}),
            ratio(label, key, V1, PEER, MARKS[key]),
        )
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        @cache
        def server(scope: ExitStack) -> Subject:
            subject = scope.enter_context(start())
            register(subject.port, options.players)  # ten rows are shown
            return subject

        def ours(scope: ExitStack, path: str) -> TopSide:
            return TopSide(scope, server(scope), path, options.players)

        def empty(scope: ExitStack) -> TopSide:
            return TopSide(scope, scope.enter_context(empty_route()), PATH, options.players)

        sides: dict[str, Callable[[ExitStack], TopSide]] = {
            OURS: partial(ours, path=PATH),
            V1: partial(ours, path=V1_PATH),
            PEER: empty,
        }
        super().__init__(sides, WARM_UP_S, options.window_s / 2)
