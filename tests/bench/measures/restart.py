"""A restart with a million players: how long until it is ready, of what, and whether it is right from then on."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import Any, Self

import psutil

from tests.bench import million
from tests.bench.accounts import ask_once
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.log_lines import lines_of
from tests.bench.scoreboard_subject import ScoreboardSubject, running
from tests.bench.subject import SubjectFactory

NAME = "restart"
PLAYERS, PLAYERS_QUICK = 1_000_000, 50_000
SAMPLES = 500
POLL_S = 0.05
WITHIN_S = 120.0
#: What ends with each of these lines of the log, in their order; the rest is the board's.
STAGES = {"starting_postgres": "imports, settings", "starting_valkey": "Postgres", "listening": "stores, actors, door"}
QUICK_S = 4.0
MIB = 1024 * 1024


class NotRight(Exception):
    """The server told a wrong rank, or was ready before it could tell any."""


class RestartMeasure:
    """The server is killed and started again on the same data, and asked from the first moment on.

    In the last round Postgres is killed too, after every player was given a point without a checkpoint.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        self._scope = ExitStack()
        self._last = options.rounds - 1
        self._players = PLAYERS_QUICK if options.window_s <= QUICK_S else PLAYERS
        self._subject: ScoreboardSubject
        self._ranks: dict[str, int]
        stages = [*STAGES.values(), "reading and ranking players"]
        self.figures: tuple[Figure, ...] = (
            Figure("ready_s", f"ready, {self._players:,} players", "s", Mark(10)),
            *(Figure(f"stage {name}", f"  {name}", "s") for name in stages),
            Figure("processor_s", "processor time of the server until then", "s"),
            Figure("rss", "resident then", "MiB"),
            Figure("peak", "most resident until then", "MiB"),
            Figure("crash_s", "ready, with Postgres to recover as well", "s", Mark(10)),
            Figure("crash_postgres_s", "  of that: Postgres", "s"),
            Figure("checked", "ranks compared with SQL's, all right", "ranks"),
        )

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(running())
        self._subject.end()
        million.fill(self._subject.data, self._players)
        rows = million.sample(self._subject.data, max(self._players // SAMPLES, 2))
        self._ranks = {user_id: rank for user_id, _, _, rank in rows}
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """One start, so that the pages of the files are in memory as after any restart."""
        self._subject.start()

    def round(self, number: int) -> Reading:
        """Kill, start, ask."""
        self._subject.end(signal.SIGKILL)
        values = self._start()
        if number == self._last:
            million.raise_everybody(self._subject.pid)
            stores = million.postgres_processes(self._subject.pid)
            self._subject.end(signal.SIGKILL)
            for process in stores:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            after = self._start()
            values |= {"crash_s": after["ready_s"], "crash_postgres_s": after["stage Postgres"]}
        return Reading(values)

    def _start(self) -> dict[str, float]:
        behind = self._subject.log.stat().st_size
        began, began_at = time.monotonic(), time.time()
        self._subject.launch()
        user_id, rank = next(iter(self._ranks.items()))
        while ask_once(self._subject.port, "/ready")[0] != 200:
            self._require_right(user_id, rank, early=True)
            if time.monotonic() > began + WITHIN_S:
                raise NotRight("it is not ready in time")
            time.sleep(POLL_S)
        ready_s = time.monotonic() - began
        used_s, process = self._subject.usage().server_s, psutil.Process(self._subject.pid)
        for user_id, rank in self._ranks.items():
            self._require_right(user_id, rank, early=False)
        return {
            "ready_s": ready_s,
            "processor_s": used_s,
            "rss": process.memory_info().rss / MIB,
            "peak": million.peak_bytes(self._subject.pid) / MIB,
            "checked": float(len(self._ranks)),
            **_stages(lines_of(self._subject.log, behind), began_at, ready_s),
        }

    def _require_right(self, user_id: str, rank: int, *, early: bool) -> None:
        """Before it is ready it may refuse with 503 or not answer at all, but not err."""
        status, body = ask_once(self._subject.port, f"/api/scores/user/{user_id}")
        allowed = (0, 200, 503) if early else (200,)
        if status not in allowed or (status == 200 and body["rank"] != rank):
            raise NotRight(f"{status} {body} for the player at rank {rank}")


def _stages(lines: list[dict[str, Any]], began_at: float, ready_s: float) -> dict[str, float]:
    found, last_s = {}, 0.0
    for line in lines:
        if line["event"] in STAGES:
            at_s = datetime.fromisoformat(line["timestamp"]).timestamp() - began_at
            found[f"stage {STAGES[line['event']]}"] = at_s - last_s
            last_s = at_s
    return {**found, "stage reading and ranking players": ready_s - last_s}
