"""What one process that serves says of itself, for `scoreboard status`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from actors.ports import ALL_TIME
from scoreboard.door.front_door import FrontDoor
from scoreboard.observe.lag import RecentLag
from scoreboard.observe.metrics import Metrics
from scoreboard.server.core import Core
from scoreboard.server.hooks import CoreWatch
from scoreboard.server.place import Place
from scoreboard.stores.breaker import Breaker
from scoreboard.stores.opening import Stores

#: For both stores to answer.
STORES_WITHIN_S = 1.0


def own_version() -> str:
    """Of the package that runs here."""
    try:
        return version("scoreboard")
    except PackageNotFoundError:  # run from its sources
        return "unknown"


@dataclass(frozen=True, slots=True)
class Reporter:
    """Tells how this process is.

    `live` counts clients of the live feed; `troubles` are sentences on what will do harm if nobody looks after it.
    """

    place: Place | None
    core: Core
    stores: Stores
    watch: CoreWatch
    metrics: Metrics
    lag: RecentLag
    door: FrontDoor
    live: Callable[[], int]
    troubles: Callable[[], list[str]]
    began: float = field(default_factory=time.monotonic)

    def report(self) -> dict[str, Any]:
        """For JSON; durations in seconds."""
        board = self.core.published.current(ALL_TIME)
        return {
            "pid": os.getpid(),
            "version": own_version(),
            "up_s": round(time.monotonic() - self.began, 1),
            "state": _state(loaded=board is not None, leaving=self.door.is_leaving),
            "connections": self.door.connections,
            "live": self.live(),
            "players": None if board is None else board.total,
            "actors": {name: int(count) for name, count in self.metrics.values("actor_live", "actor").items() if count},
            "crashes": int(sum(self.metrics.values("actor_crashes_total", "actor").values())),
            "mailboxes": {name: each._asdict() for name, each in sorted(self.watch.backlogs.items())},
            "loop": {name: _finite(value) for name, value in self.lag.now()._asdict().items()},
            "behind": self._behind(),
            "postgres": self._postgres(),
            "redis": _away(self.stores.redis.breaker),
            "troubles": self.troubles(),
        }

    async def looked(self) -> dict[str, Any]:
        """The same, and which stores do not answer now: one that is stopped is not away yet as long as nobody asks."""
        answers = await self.stores.ping(STORES_WITHIN_S)
        there = {"postgres": answers.postgres, "redis": answers.redis}
        return {**self.report(), "unanswered": [name for name, answered in there.items() if not answered]}

    def _behind(self) -> dict[str, Any]:
        value = self.metrics.value
        return {"batches": int(value("follower_lag_batches")), "seconds": round(value("follower_lag_seconds"), 2)}

    def _postgres(self) -> dict[str, Any]:
        database = self.stores.database
        return {**_away(database.breaker), **database.connections.pooled._asdict()}


def _state(*, loaded: bool, leaving: bool) -> str:
    if leaving:
        return "draining"
    return "ready" if loaded else "starting"


def _away(breaker: Breaker) -> dict[str, Any]:
    return {"away_s": round(breaker.away_s, 1), "why": breaker.why}


def _finite(value: float) -> float | None:
    """JSON has no infinity: None stands for more than is measured."""
    return None if value == float("inf") else value
