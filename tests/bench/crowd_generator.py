"""A load generator: a crowd on the live feed that comes, stays, stops reading, is cut off and comes back.

python -m tests.bench.crowd_generator      (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import math
import resource
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.bench.crowd import Client, Crowd
from tests.bench.generator import Command, obey

SAMPLED = 100
PATIENCE_S = 90.0
STEP_S = 0.05


class Unsettled(Exception):
    """Not every client has its board after a long time."""


class CrowdCommands:
    """Answers commands of these words, obeyed in this order; all but one command's own answer stays as it was.

    `leave`: all go. `cut`: all lose their connections and come back. `stop`: so many of the small ones read no more;
    `resume`: they read again. `join`: so many come, `per_s` a second (all at once without), `small` or not, and go
    again when they have had a board for `stay_s` (without: they stay). `watch_s`: so long at least; `settle`: until
    every client that should be here has a board.
    """

    def __init__(self, config: Command) -> None:
        self._crowd = Crowd(config["port"], config.get("jitter_s", 1.0), config.get("token"))
        self._guests: list[tuple[Client, float]] = []

    def __call__(self, command: Command) -> Command:
        crowd = self._crowd
        began, before = time.monotonic(), _counts(crowd)
        crowd.boards.begin()
        if command.get("leave"):
            crowd.leave(crowd.clients)
            crowd.clients.clear()
        if command.get("cut"):
            crowd.cut()
        for client in [each for each in crowd.clients if each.small and each.state == "watching"][
            : command.get("stop", 0)
        ]:
            crowd.stop_reading(client)
        for client in [each for each in crowd.clients if each.state == "stopped"] if command.get("resume") else []:
            crowd.read_again(client)
        coming = self._join(command, began)
        sampled = self._sample()
        self._run_until(lambda: time.monotonic() >= began + command.get("watch_s", 0.0))
        if command.get("settle"):
            self._settle()
        return {
            **{name: value - before[name] for name, value in _counts(crowd).items()},
            "seconds": time.monotonic() - began,
            "came_ms": sorted(each.came_s * 1000 for each in coming or crowd.clients if each.came_s < math.inf),
            "pieces": [{"number": piece.number, "scores": piece.scores} for piece in crowd.boards.pieces],
            "arrivals": [each.arrivals for each in sampled],
            **self._standing(),
        }

    def _join(self, command: Command, now: float) -> list[Client]:
        gap_s = 1.0 / command["per_s"] if command.get("per_s") else 0.0
        small, stay_s = command.get("small", False), command.get("stay_s")
        coming = [self._crowd.expect(now + number * gap_s, small=small) for number in range(command.get("join", 0))]
        if stay_s is not None:
            self._guests += [(client, stay_s) for client in coming]
        return coming

    def _sample(self) -> list[Client]:
        reading = [each for each in self._crowd.clients if each.state == "watching" and not each.small]
        sampled = reading[:: max(1, len(reading) // SAMPLED)][:SAMPLED]
        for client in self._crowd.clients:
            client.arrivals = None
        for client in sampled:
            client.arrivals = []
        return sampled

    def _run_until(self, over: Callable[[], bool]) -> None:
        while not over():
            self._crowd.run(time.monotonic() + STEP_S)
            self._see_off()

    def _see_off(self) -> None:
        if not self._guests:
            return
        now = time.monotonic()
        sated = [guest for guest, stay_s in self._guests if guest.since + guest.came_s + stay_s < now]
        self._crowd.leave(sated)
        self._guests = [each for each in self._guests if each[0].state != "gone"]

    def _settle(self) -> None:
        give_up = time.monotonic() + PATIENCE_S
        self._run_until(lambda: self._missing() == 0 or time.monotonic() > give_up)
        if self._missing():
            raise Unsettled(f"{self._missing()} clients have no board after {PATIENCE_S:g} s")

    def _missing(self) -> int:
        return sum(client.state not in {"watching", "stopped", "gone"} for client in self._crowd.clients)

    def _standing(self) -> dict[str, Any]:
        """Where the clients are, and what the board is where most of them are."""
        places = Counter(each.place for each in self._crowd.clients if each.state == "watching")
        newest, there = places.most_common(1)[0] if places else (None, 0)
        return {
            "watching": self._crowd.watching,
            "elsewhere": sum(places.values()) - there,
            "board": self._crowd.boards.rows(newest),
        }


def _counts(crowd: Crowd) -> dict[str, float]:
    names = ("lost", "refused", "gaps", "deliveries", "bytes")
    return {"generator_s": time.process_time(), **{name: getattr(crowd, name) for name in names}}


def _allow_many_files() -> None:
    """As many as the system lets us: a socket for each client."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    _allow_many_files()
    obey(CrowdCommands)
