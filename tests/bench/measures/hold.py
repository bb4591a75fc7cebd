"""Memory of the server while many connections are held for long."""

from __future__ import annotations

from tests.bench.arena import AtArena
from tests.bench.figure import Figure, Options, Reading
from tests.bench.generator import Generator
from tests.bench.statistics import median
from tests.bench.subject import Memory, SubjectFactory

NAME = "hold"
MANY = 10
SCORES_PER_S = 2.3
MIB = 2**20


class HoldMeasure(AtArena):
    """Ten thousand clients on a server as it is by default (it pings), with a trickle of scores, for `--hold-s`.

    Growth is the median of the last quarter of all samples less that of the second; the first belongs to those who
    have just come. In the end every client must show the true board.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        super().__init__(start, options, SCOREBOARD_BOARD_PING_S="25")
        self._count = options.viewers * MANY
        self._crowd: Generator
        self._empty: Memory
        self.figures: tuple[Figure, ...] = (
            Figure("hold_rss", f"resident, {self._count:,} clients held {options.hold_s:g} s, at the end", "MiB"),
            Figure("hold_pss", "proportional, at the end", "MiB"),
            Figure("hold_growth", "resident, growth from the second quarter to the last", "MiB"),
            Figure("hold_client", "resident, a client, at the end", "KiB"),
            Figure("hold_server", "processor: server", "% of a core"),
            Figure("hold_lag_max", "longest turn of the loop, at most", "ms"),
            Figure("hold_lost", "connections lost", "clients"),
        )

    def _gather(self) -> None:
        self._crowd = self._arena.crowd()

    def warm_up(self) -> None:
        """One client, then all."""
        self._arena.warm_up(self._crowd, 1)
        self._empty = self._arena.subject.memory()
        self._crowd.ask(join=self._count, per_s=1000, settle=True)

    def round(self, number: int) -> Reading:
        """Hold, and look every second."""
        samples: list[Memory] = []
        stretch = self._arena.stretch(
            self._crowd, self._options.hold_s, SCORES_PER_S, lambda: samples.append(self._arena.subject.memory())
        )
        self._arena.require_true(stretch.seen)
        rss, pss = [each.rss for each in samples], [each.pss for each in samples]
        quarter = max(1, len(samples) // 4)
        values = {
            "hold_rss": rss[-1] / MIB,
            "hold_pss": pss[-1] / MIB,
            "hold_growth": (median(rss[-quarter:]) - median(rss[quarter : 2 * quarter] or rss)) / MIB,
            "hold_client": (rss[-1] - self._empty.rss) / self._count / 1024,
            "hold_server": 100 * stretch.server_share,
            "hold_lag_max": stretch.lag.percentile(100),
            "hold_lost": float(stretch.seen["lost"]),
        }
        curves = {
            "memory: resident": [each / MIB for each in rss],
            "memory: proportional": [each / MIB for each in pss],
        }
        return Reading(values, curves)
