"""Everybody comes back at once."""

from __future__ import annotations

import signal
import time

from tests.bench.arena import AtArena
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.numbers import Lag, read_numbers, transactions
from tests.bench.statistics import curve, percentile
from tests.bench.subject import SubjectFactory

NAME = "storm"
TIMES = 2  # as many clients as others watch elsewhere: 2,000
JITTER_S = 1.0
#: A session of Postgres tells its counters at most so late.
COUNTED_WITHIN_S = 10.5
KINDS = {"anonymous": "without a token", "signed": "with an access token", "restart": "the server is restarted"}


class StormMeasure(AtArena):
    """Two thousand clients lose their connections at one moment and come back within a second, once more when refused.

    Twice their own sockets are closed, without and with an access token at the handshake; then the server is told to
    stop and started again. Time runs from the cut to the first board, the client's own pause included; for the restart
    from the client's loss. Transactions are all that Postgres counts, less those of as long a time without a storm.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        super().__init__(start, options)
        self._count = options.viewers * TIMES
        self._crowds: dict[str, Generator] = {}
        self.figures: tuple[Figure, ...] = tuple(
            figure for kind, told in KINDS.items() for figure in _figures(kind, told, self._count)
        )

    def _gather(self) -> None:
        token = self._arena.player_token
        self._crowds = {
            "anonymous": self._arena.crowd(jitter_s=JITTER_S),
            "signed": self._arena.crowd(jitter_s=JITTER_S, token=token),
        }

    def warm_up(self) -> None:
        """Some come and go."""
        self._arena.warm_up(self._crowds["anonymous"], 100)
        self._crowds["signed"].ask(join=100, per_s=1000, settle=True)
        for crowd in self._crowds.values():
            crowd.ask(leave=True)

    def round(self, number: int) -> Reading:
        """All three; a crowd is there for its own storms only."""
        values: dict[str, float] = {}
        curves: dict[str, list[float]] = {}
        for kind, crowd in self._crowds.items():
            crowd.ask(join=self._count, per_s=1000, settle=True)
            self._arena.settle()
            seen, lag, extra = self._cut(crowd)
            values |= _told(kind, seen, lag) | {f"transactions_{kind}": extra}
            curves |= {f"settling: {KINDS[kind]}": curve(seen["came_ms"]), f"lag: {KINDS[kind]}": lag.bars()}
            if kind == "anonymous":
                seen, lag = self._restart(crowd)
                values |= _told("restart", seen, lag)
                curves |= {"settling: the server is restarted": curve(seen["came_ms"])}
            crowd.ask(leave=True)
            self._arena.settle()
        return Reading(values, curves)

    def _cut(self, crowd: Generator) -> tuple[Command, Lag, float]:
        port, data = self._arena.subject.port, self._arena.subject.home / "data"
        time.sleep(COUNTED_WITHIN_S)
        first = transactions(data)
        time.sleep(COUNTED_WITHIN_S + JITTER_S)
        second = transactions(data)
        before = read_numbers(port).lag
        seen = crowd.ask(cut=True, settle=True)
        lag = read_numbers(port).lag.since(before)
        self._arena.require_true(seen)
        time.sleep(COUNTED_WITHIN_S)
        return seen, lag, float(transactions(data) - second - (second - first))

    def _restart(self, crowd: Generator) -> tuple[Command, Lag]:
        subject = self._arena.subject
        crowd.begin(watch_s=5.0, settle=True)
        subject.end(signal.SIGTERM)
        subject.start()
        seen = crowd.result()
        self._arena.require_true(seen)
        return seen, read_numbers(subject.port).lag


def _told(kind: str, seen: Command, lag: Lag) -> dict[str, float]:
    came = seen["came_ms"]
    return {
        f"settled_{kind}": came[-1] / 1000,
        f"median_{kind}": percentile(came, 50) / 1000,
        f"lag_max_{kind}": lag.percentile(100),
        f"lag_above_{kind}": lag.above(25.0),
        f"crowd_{kind}": 100 * seen["generator_s"] / seen["seconds"],
    }


def _figures(kind: str, told: str, count: int) -> tuple[Figure, ...]:
    return (
        Figure(f"settled_{kind}", f"the last of {count:,} has its board, {told}", "s", Mark(10)),
        Figure(f"median_{kind}", f"half of them have, {told}", "s"),
        Figure(f"lag_max_{kind}", f"longest turn of the loop, at most, {told}", "ms"),
        Figure(f"lag_above_{kind}", f"turns above 25 ms, {told}", "turns"),
        Figure(f"transactions_{kind}", f"transactions in Postgres, {told}", "more", Mark(count / 100)),
        Figure(f"crowd_{kind}", f"processor: load generator, {told}", "% of a core"),
    )
