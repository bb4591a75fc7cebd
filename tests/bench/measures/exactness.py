"""Every acknowledged point is in the ledger once and every client shows the true board, whatever happens meanwhile."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Self

from tests.bench.accounts import Account, register, scores
from tests.bench.arena import require_true
from tests.bench.figure import Figure, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.numbers import query
from tests.bench.scoreboard_subject import ScoreboardSubject
from tests.bench.subject import SubjectFactory

NAME = "exactness"
PLAYERS = 16
PLAY_S = 14.0
LEDGER = "SELECT user_id, count(*), sum(score_increment), count(DISTINCT new_score) FROM score_updates GROUP BY user_id"


class Inexact(Exception):
    """A point is missing, or counted twice."""


class ExactnessMeasure:
    """Players score through REST without a pause, each increment with a key, sent again until it is answered.

    Meanwhile a tenth of the clients stop reading, a fifth are cut off and come back, and the server is killed and
    started again; then those who stopped read again. What was acknowledged is compared with the ledger's rows, with the
    players' scores, and with the last board of every client.
    """

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        Figure("points", "acknowledged, in the ledger once", "points"),
        Figure("shown", "clients that show the true board", "clients"),
        Figure("repeated", "requests sent again", "requests"),
        Figure("lost", "connections lost", "connections"),
        Figure("gaps", "differences that could not be applied", "frames"),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._stopping, self._cut = options.viewers // 10, options.viewers // 5
        self._staying = options.viewers - self._stopping - self._cut
        self._scope = ExitStack()
        self._subject: ScoreboardSubject
        self._accounts: list[Account]
        self._players: Generator
        self._watchers: Generator
        self._unsteady: Generator

    def __enter__(self) -> Self:
        subject = self._scope.enter_context(self._start())
        assert isinstance(subject, ScoreboardSubject)
        self._subject = subject
        self._accounts = register(subject.port, PLAYERS)
        players = [asdict(account) for account in self._accounts]
        self._players = self._generator("tests.bench.steadfast_generator", players=players)
        self._watchers = self._generator("tests.bench.crowd_generator")
        self._unsteady = self._generator("tests.bench.crowd_generator")
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def _generator(self, module: str, **config: object) -> Generator:
        return self._scope.enter_context(Generator(module, port=self._subject.port, **config))

    def warm_up(self) -> None:
        """All clients come, and stay."""
        self._watchers.ask(join=self._stopping, per_s=1000, small=True, settle=True)
        self._watchers.ask(join=self._staying, per_s=1000, settle=True)
        self._unsteady.ask(join=self._cut, per_s=1000, settle=True)

    def round(self, number: int) -> Reading:
        """All that may go wrong, while points are scored; then what came of it."""
        self._players.begin(seconds=PLAY_S)
        seen = [self._watchers.ask(watch_s=1.0), self._watchers.ask(stop=self._stopping, watch_s=1.0)]
        seen.append(self._unsteady.ask(cut=True, watch_s=2.0))
        self._watchers.begin(watch_s=4.0, settle=True)
        self._unsteady.begin(watch_s=4.0, settle=True)
        time.sleep(0.5)
        self._subject.end(signal.SIGKILL)
        self._subject.start()
        seen += [self._watchers.result(), self._unsteady.result()]
        seen.append(self._watchers.ask(resume=True, watch_s=1.0))
        played = self._players.result()
        time.sleep(2 * self._subject.tick_s)
        last = [self._watchers.ask(watch_s=2.0, settle=True), self._unsteady.ask(watch_s=2.0, settle=True)]
        return Reading(self._judged(played, last) | {key: sum(each[key] for each in seen) for key in ("lost", "gaps")})

    def _judged(self, played: Command, last: list[Command]) -> dict[str, float]:
        acknowledged: dict[str, int] = played["scores"]
        if scores(self._subject.port, list(acknowledged)) != acknowledged:
            raise Inexact("the players' scores are not what was acknowledged")
        rows = [line.split("|") for line in query(self._subject.home / "data", LEDGER).splitlines()]
        if {user_id: {int(each) for each in counts} for user_id, *counts in rows} != {
            user_id: {score} for user_id, score in acknowledged.items() if score
        }:
            raise Inexact("the ledger is not what was acknowledged")
        for seen in last:
            require_true(self._subject.port, seen)
        return {
            "points": float(sum(acknowledged.values())),
            "shown": float(sum(seen["watching"] for seen in last)),
            "repeated": float(played["repeated"]),
        }
