"""A page of a hundred rows as it is and as gzip, while the board moves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache, partial

from tests.bench.accounts import register
from tests.bench.figure import Figure, Options
from tests.bench.generator import Generator
from tests.bench.side_by_side import SideBySide
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet
from tests.bench.versus import OURS, counted, ratio

NAME = "compressed"
PATH = "/api/scores/top?limit=100"
GZIP = "as gzip"
HEADERS = {OURS: "", GZIP: "Accept-Encoding: gzip\r\n"}
ROWS, SCORERS = 100, 10
SCORES_PER_S = 2.0  # so that each tick has another view, of which the page must be made again
WARM_UP_S = 1.0


class Moving:
    """Our server with a full page, and players who score."""

    def __init__(self, scope: ExitStack, start: SubjectFactory) -> None:
        self.subject: Subject = scope.enter_context(start())
        players = [asdict(account) for account in register(self.subject.port, ROWS)][:SCORERS]
        trickle = Generator("tests.bench.trickle_generator", port=self.subject.port, players=players, socket=True)
        self.trickle = scope.enter_context(trickle)


class PageSide:
    """The same server and page, asked for in one way."""

    def __init__(self, scope: ExitStack, server: Moving, clients: int, headers: str) -> None:
        self._server = server
        port = server.subject.port
        made = Generator("tests.bench.gets_generator", port=port, path=PATH, clients=clients, headers=headers)
        self._generator = scope.enter_context(made)

    def window(self, seconds: float) -> dict[str, float]:
        """A window of load, with scores; begun when what was before is done with."""
        subject = self._server.subject
        wait_until_quiet(subject)
        before = subject.usage()
        self._server.trickle.begin(count=round(seconds * SCORES_PER_S), every_s=1 / SCORES_PER_S)
        result = self._generator.ask(seconds=seconds)
        self._server.trickle.result()
        used, requests = subject.usage().since(before), result["requests"]
        return {
            "per_s": result["per_s"],
            "server_us": used.server_s / requests * 1e6,
            "bytes": result["bytes"] / requests,
        }


class CompressedMeasure(SideBySide):
    """The same clients for both."""

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = tuple(
        figure
        for label, unit, key in (
            ("answers", "1/s", "per_s"),
            ("processor: server", "us/answer", "server_us"),
            ("body", "B", "bytes"),
        )
        for figure in (*counted(label, unit, key, (GZIP,)), ratio(label, key, GZIP, OURS))
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        @cache
        def server(scope: ExitStack) -> Moving:
            return Moving(scope, start)

        def asked(scope: ExitStack, headers: str) -> PageSide:
            return PageSide(scope, server(scope), options.players, headers)

        sides: dict[str, Callable[[ExitStack], PageSide]] = {
            name: partial(asked, headers=headers) for name, headers in HEADERS.items()
        }
        super().__init__(sides, WARM_UP_S, options.window_s / 2)
