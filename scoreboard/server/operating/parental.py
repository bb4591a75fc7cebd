"""What the parent of several workers answers its operator: it asks each of them, and adds what only it knows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import trio

from scoreboard.server.crew.crew import Crew
from scoreboard.server.crew.neighbours import STATUS, ask_worker
from scoreboard.server.crew.slot import Slot
from scoreboard.server.operating.desk import Line, Say, end
from scoreboard.server.operating.report import own_version


class Parental:
    """Answers at the desk of a parent.

    Args:
        crew: Its workers, as soon as there are any.
        sockets: Where theirs are.
        whole: What is true of all of them: where the server is to be found, and what it keeps.
    """

    def __init__(self, crew: Callable[[], Crew | None], sockets: Path, whole: Callable[[], dict[str, Any]]) -> None:
        self._crew = crew
        self._sockets = sockets
        self._whole = whole
        self._began = time.monotonic()

    async def status(self, _: Line, say: Say) -> None:
        """How all of them are. One that does not answer in a second is told to be silent."""
        crew = self._crew()
        slots = [] if crew is None else list(crew.slots.values())
        workers: dict[int, dict[str, Any]] = {}
        async with trio.open_nursery() as nursery:
            for slot in slots:
                nursery.start_soon(self._of_worker, slot, workers)
        told = {"pid": os.getpid(), "version": own_version(), "up_s": round(time.monotonic() - self._began, 1)}
        await say(end(0, **self._whole(), **told, workers=[workers[slot.number] for slot in slots]))

    async def _of_worker(self, slot: Slot, workers: dict[int, dict[str, Any]]) -> None:
        known = {
            "worker": slot.number,
            "state": slot.state,
            "pid": slot.pid,
            "up_s": slot.up_s,
            "restarts": max(0, slot.restarts),
            "failures": slot.failures,
            "last": slot.last,
        }
        if slot.state not in {"ready", "draining"}:
            workers[slot.number] = known
            return
        text = await ask_worker(self._sockets, slot.number, STATUS)
        if text is None:
            workers[slot.number] = {**known, "state": "silent"}
        else:
            workers[slot.number] = {**known, **msgspec.json.decode(text)}
