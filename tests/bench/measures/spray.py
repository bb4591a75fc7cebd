"""Passwords are tried on many accounts from many addresses while players score: who notices."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Self

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.measures.cycles import require_exact
from tests.bench.numbers import Lag, read_numbers
from tests.bench.subject import Subject, SubjectFactory

NAME = "spray"
#: What a sign-in costs in production, and addresses that can be told apart.
SETTINGS = {"SCOREBOARD_PASSWORDS_ROUNDS": "12", "SCOREBOARD_DOOR_PROXIES": "127.0.0.1"}
PLAYERS = 16
CLIENTS = 100
SCORES_PER_S = 50.0


class SprayMeasure:
    """In turn: scores, evenly, and as many as can be; each alone, and while a hundred clients guess passwords.

    The limits of sign-ins are off, so all that holds is the queue in front of the threads that hash.
    """

    names: tuple[str, ...] = (NAME,)
    figures: tuple[Figure, ...] = (
        Figure("spray_lag_p50", "longest turns of the loop under the spray, half at most", "ms"),
        Figure("spray_lag_p99", "the same, 99 % at most", "ms"),
        Figure("spray_lag_max", "the same, at most", "ms", Mark(50)),
        Figure("plain_lag_max", "longest turn with scores alone, at most", "ms"),
        Figure("guesses", "guesses answered", "1/s"),
        Figure("sent_away", "guesses sent away", "1/s"),
        Figure("signed_in", "honest sign-ins beside them, where that player signed in before", "1/s"),
        Figure("sign_in_median", "such a sign-in, median", "ms"),
        Figure("elsewhere", "honest sign-ins beside them from anywhere else", "1/s"),
        Figure("plain_median", "increment, evenly, alone, median", "ms"),
        Figure("spray_median", "increment, evenly, under the spray, median", "ms"),
        Figure("plain_p99", "increment, evenly, alone, p99", "ms"),
        Figure("spray_p99", "increment, evenly, under the spray, p99", "ms"),
        Figure("plain_cycles", "cycles, as many as can be, alone", "1/s"),
        Figure("spray_cycles", "cycles, as many as can be, under the spray", "1/s"),
        Figure("kept", "cycles kept under the spray", "%"),
    )

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._subject: Subject
        self._scores: Generator
        self._cycles: Generator
        self._spray: Generator

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(self._start(**SETTINGS))
        port = self._subject.port
        players = [asdict(account) for account in register(port, PLAYERS)]
        half = PLAYERS // 2

        def generator(module: str, **config: Any) -> Generator:
            return self._scope.enter_context(Generator(f"tests.bench.{module}", port=port, **config))

        self._scores = generator("trickle_generator", players=players[:half])
        self._cycles = generator("cycles_generator", players=players[half:])
        self._spray = generator("spray_generator", accounts=PLAYERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Each, shortly."""
        self._scores.ask(count=50, every_s=0.02)
        self._cycles.ask(seconds=1.0, keys=None)
        self._spray.ask(seconds=1.0, clients=CLIENTS)

    def round(self, number: int) -> Reading:
        """Both loads alone, then both under the spray, one after the other."""
        plain, lag, _ = self._stretch(spray=False)
        sprayed, sprayed_lag, told = self._stretch(spray=True)
        answered = {status: count / told["seconds"] for status, count in told["told"].items()}
        values = {
            **{f"spray_lag_p{at}": sprayed_lag.percentile(at) for at in (50, 99)},
            "spray_lag_max": sprayed_lag.percentile(100),
            "plain_lag_max": lag.percentile(100),
            "guesses": answered.get("401", 0.0),
            "sent_away": sum(answered.values()) - answered.get("401", 0.0),
            "signed_in": told["at_home"]["signed_in"] / told["seconds"],
            "elsewhere": told["elsewhere"]["signed_in"] / told["seconds"],
            **{f"plain_{name}": value for name, value in plain.items()},
            **{f"spray_{name}": value for name, value in sprayed.items()},
            "kept": 100 * sprayed["cycles"] / plain["cycles"],
        }
        if told["at_home"]["signed_in"]:
            values["sign_in_median"] = told["at_home"]["took"]["median"]
        return Reading(values, {"lag under a spray": sprayed_lag.bars()})

    def _stretch(self, *, spray: bool) -> tuple[dict[str, float], Lag, dict[str, Any]]:
        window_s, before = self._options.window_s, read_numbers(self._subject.port).lag
        if spray:
            self._spray.begin(seconds=2 * window_s, clients=CLIENTS)
        evenly = self._scores.ask(count=round(window_s * SCORES_PER_S), every_s=1 / SCORES_PER_S)["increment_ms"]
        cycles = self._cycles.ask(seconds=window_s, keys=None)
        told = {**self._spray.result(), "seconds": 2 * window_s} if spray else {}
        lag = read_numbers(self._subject.port).lag.since(before)
        require_exact(self._subject.port, cycles["scores"])
        return {"median": evenly["median"], "p99": evenly["p99"], "cycles": cycles["per_s"]}, lag, told
