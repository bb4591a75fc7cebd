"""What new connections, 500 a second, do to those who watch."""

from __future__ import annotations

from tests.bench.arena import AtArena, Stretch
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.statistics import percentile
from tests.bench.subject import SubjectFactory

NAME = "joins"
JOINS_PER_S = 500
STAY_S = 2.0
SCORES_PER_S = 20.0
LONGER = 2.5  # than other windows: 20 s
WHEN = {"alone": "nobody joins", "joined": f"{JOINS_PER_S} a second join"}


class JoinsMeasure(AtArena):
    """A thousand clients watch; then they do while others come, take a board, stay for two seconds and leave."""

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        super().__init__(start, options)
        self._watchers: Generator
        self._guests: Generator
        self.figures: tuple[Figure, ...] = (
            *(figure for at, told in WHEN.items() for figure in _figures(at, told)),
            Figure("came_median", "from connecting to the first board, median", "ms"),
            Figure("came_p99", "from connecting to the first board, p99", "ms"),
            Figure("came_per_s", "joined", "1/s"),
            Figure("refused", "turned away", "clients"),
            Figure("guests", "processor: load generator that joins", "% of a core"),
        )

    def _gather(self) -> None:
        self._watchers, self._guests = self._arena.crowd(), self._arena.crowd()

    def warm_up(self) -> None:
        """The watchers come and stay; some others come and go."""
        self._arena.warm_up(self._watchers, self._options.viewers)
        self._guests.ask(join=JOINS_PER_S, per_s=JOINS_PER_S, stay_s=0.5, watch_s=2.5)

    def round(self, number: int) -> Reading:
        """Without, then with."""
        seconds = self._options.window_s * LONGER
        alone = self._arena.stretch(self._watchers, seconds, SCORES_PER_S)
        self._arena.settle()
        self._guests.begin(
            join=round(seconds * JOINS_PER_S),
            per_s=JOINS_PER_S,
            stay_s=STAY_S,
            watch_s=seconds + STAY_S + 2,
            settle=True,
        )
        joined = self._arena.stretch(self._watchers, seconds, SCORES_PER_S)
        guests = self._guests.result()
        self._arena.require_true(joined.seen)
        self._arena.settle()
        came = guests["came_ms"]
        return Reading(
            {
                **_told("alone", alone),
                **_told("joined", joined),
                "came_median": percentile(came, 50),
                "came_p99": percentile(came, 99),
                "came_per_s": len(came) / seconds,
                "refused": guests["refused"],
                "guests": 100 * guests["generator_s"] / guests["seconds"],
            },
            {"lag: nobody joins": alone.lag.bars(), f"lag: {JOINS_PER_S} a second join": joined.lag.bars()},
        )


def _told(at: str, stretch: Stretch) -> dict[str, float]:
    found = {**stretch.screen("screen_"), **stretch.lag.figures(), "server": 100 * stretch.server_share}
    return {f"{key}_{at}": value for key, value in found.items()}


def _figures(at: str, told: str) -> tuple[Figure, ...]:
    return (
        Figure(f"screen_median_{at}", f"submit to screen of those who watch, median, {told}", "ms"),
        Figure(f"screen_p99_{at}", f"submit to screen of those who watch, p99, {told}", "ms", Mark(1150)),
        Figure(f"lag_max_{at}", f"longest turn of the loop, at most, {told}", "ms", Mark(25)),
        Figure(f"lag_p999_{at}", f"99.9 % of turns, at most, {told}", "ms"),
        Figure(f"lag_above_{at}", f"turns above 25 ms, {told}", "turns"),
        Figure(f"server_{at}", f"processor: server, {told}", "% of a core"),
    )
