"""What one process that serves does for its operator, asked by its parent or, without one, at its own desk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import trio

from scoreboard.observe.lag import MARK_EVERY_S
from scoreboard.server.crew.neighbours import METRICS, STATUS, Answer
from scoreboard.server.operating.desk import Line, Say, end
from scoreboard.server.operating.report import Reporter


class Operated:
    """Serves while it is `running`."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def __repr__(self) -> str:
        return f"<Operated, pid {self.report()['pid']}>"

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Look after what is told while the body runs."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._mark)
            yield
            nursery.cancel_scope.cancel()

    async def _mark(self) -> None:
        while True:
            await trio.sleep(MARK_EVERY_S)
            self._reporter.lag.mark()

    def report(self) -> dict[str, Any]:
        """How it is; see `Reporter`."""
        return self._reporter.report()

    # --- with a parent ---

    @property
    def answers(self) -> Mapping[str, Answer]:
        """To what its parent, or another worker, asks."""
        return {METRICS: self._metrics, STATUS: self._status}

    async def _metrics(self, _: str) -> bytes:
        return self._reporter.metrics.render()

    async def _status(self, _: str) -> bytes:
        return msgspec.json.encode(self.report())


class Alone:
    """The answers of a process that has no parent."""

    def __init__(self, operated: Operated, whole: Mapping[str, Any]) -> None:
        self._operated = operated
        self._whole = whole

    async def status(self, _: Line, say: Say) -> None:
        """How it is."""
        told = self._operated.report()
        worker = {"worker": 0, "restarts": 0, "failures": 0, "last": None, **told}
        same = {name: told[name] for name in ("pid", "version", "up_s")}
        await say(end(0, **self._whole, **same, wanted=1, workers=[worker]))
