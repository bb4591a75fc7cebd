"""The clients of a broadcaster; what `tests.bench.feed` is for our own server."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Self

from tests.bench.feed import Window
from tests.bench.generator import Generator
from tests.bench.peers.broadcaster import broadcasting

DIALECTS = {"socketio": "socketio", "ws": "plain", "floor": "plain"}


class Audience:
    """A broadcaster of one kind with its clients; a scope that ends both."""

    def __init__(self, kind: str, board: str) -> None:
        self._scope = ExitStack()
        self._subject = self._scope.enter_context(broadcasting(kind, board))
        generator = Generator("tests.bench.viewers_generator", port=self._subject.port, dialect=DIALECTS[kind])
        self._viewers = self._scope.enter_context(generator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def join(self, viewers: int) -> float:
        """Open clients; how many a second when they come one after the other."""
        took_s: float = self._viewers.ask(connect=viewers)["connect_s"]
        self._subject.settle()
        return viewers / took_s

    def leave(self) -> None:
        """Close all clients, and wait until that is done with."""
        self._viewers.ask(leave=True)
        self._subject.settle()

    def window(self, seconds: float, every_s: float) -> Window:
        """Broadcasts, evenly, for so long, and until the last one has come."""
        count = round(seconds / every_s)
        before, viewers_s = self._subject.usage(), self._viewers.processor_s()
        began_ns = time.monotonic_ns()
        self._subject.begin(count, every_s)
        seen = self._viewers.ask(watch_s=seconds + every_s + 0.5)
        self._subject.finish()
        used = self._subject.usage().since(before)
        sent = [(began_ns + round(number * every_s * 1e9), "", number) for number in range(count)]
        return Window(used.server_s, self._viewers.processor_s() - viewers_s, sent, seen)
