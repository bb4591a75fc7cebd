"""Rank and neighbours of any player at a million players: at the server and at the client, alone and beside scores."""

from __future__ import annotations

import http.client
import random
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from typing import Self

from tests.bench import million
from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.log_lines import lines_of
from tests.bench.measures.restart import PLAYERS, PLAYERS_QUICK, QUICK_S, SAMPLES
from tests.bench.scoreboard_subject import ScoreboardSubject, running
from tests.bench.statistics import percentile
from tests.bench.subject import SubjectFactory

NAME = "reads"
SCORES_A_SECOND = 100
SCORERS = 20
READS_A_SECOND = 100
PATHS = {"rank": "/api/scores/user/{}", "around": "/api/v1/leaderboard/around/{}"}
PLACES = ("server", "sent to answered", "client")
LOADS = {"alone": "", "busy": f", {SCORES_A_SECOND} scores/s"}


class ReadsMeasure:
    """One client asks for one player after the other on a kept connection, evenly in time.

    The server's figure is its own, as it stands in its log: from the moment when the request has been read and its task
    begins on it to the moment when the kernel has taken the answer. "Sent to answered" is from the client's sending to
    the server's line of log about it, by one clock: the way there is in it, and the wait for the server's turn.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, _start: SubjectFactory, options: Options) -> None:
        self._scope = ExitStack()
        self._window_s = options.window_s
        self._players = PLAYERS_QUICK if options.window_s <= QUICK_S else PLAYERS
        self._rng = random.Random(1)
        self._subject: ScoreboardSubject
        self._scorers: Generator
        self._ids: list[str]
        self.figures: tuple[Figure, ...] = tuple(
            Figure(f"{path} {load} {where} {what}", f"{path}{words}: {where}, {what}", "ms", _mark(where))
            for load, words in LOADS.items()
            for path in PATHS
            for where in PLACES
            for what in ("median", "p99")
        )

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(running())
        self._subject.end()
        million.fill(self._subject.data, self._players)
        self._ids = [row[0] for row in million.sample(self._subject.data, max(self._players // SAMPLES, 2))]
        self._subject.start()
        scorers = [asdict(account) for account in register(self._subject.port, SCORERS)]
        generator = Generator("tests.bench.trickle_generator", port=self._subject.port, players=scorers)
        self._scorers = self._scope.enter_context(generator)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """A second of each."""
        for path in PATHS.values():
            self._ask(path, 1.0)

    def round(self, number: int) -> Reading:
        """All four, one after the other."""
        values: dict[str, float] = {}
        for load in LOADS:
            for name, path in PATHS.items():
                if load == "busy":
                    count = round(self._window_s * SCORES_A_SECOND)
                    self._scorers.begin(count=count, every_s=1 / SCORES_A_SECOND)
                found_by_place = self._ask(path, self._window_s)
                if load == "busy":
                    self._scorers.result()
                for where, found in zip(PLACES, found_by_place, strict=True):
                    values[f"{name} {load} {where} median"] = percentile(found, 50)
                    values[f"{name} {load} {where} p99"] = percentile(found, 99)
        return Reading(values)

    def _ask(self, path: str, seconds: float) -> tuple[list[float], list[float], list[float]]:
        """Sorted milliseconds at each of the `PLACES`."""
        behind = self._subject.log.stat().st_size
        connection = http.client.HTTPConnection("127.0.0.1", self._subject.port, timeout=10.0)
        seen, sent_s, began = [], [], time.monotonic()
        for number in range(round(seconds * READS_A_SECOND)):
            time.sleep(max(0.0, began + number / READS_A_SECOND - time.monotonic()))
            sent_s.append(time.time())
            asked = time.perf_counter()
            connection.request("GET", path.format(self._rng.choice(self._ids)))
            answer = connection.getresponse()
            answer.read()
            seen.append((time.perf_counter() - asked) * 1000)
            assert answer.status == 200
        connection.close()
        time.sleep(0.1)  # the last line is written behind the last answer
        route = path.format("{userId}")
        lines = [line for line in lines_of(self._subject.log, behind) if line.get("route") == route]
        served = [line["duration_ms"] for line in lines]
        answered_s = [datetime.fromisoformat(line["timestamp"]).timestamp() for line in lines]
        whole = [(end - start) * 1000 for start, end in zip(sent_s, answered_s, strict=True)]
        return sorted(served), sorted(whole), sorted(seen)


def _mark(where: str) -> Mark | None:
    return Mark(1) if where == "server" else None
