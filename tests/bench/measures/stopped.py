"""What clients that stop reading cost all others."""

from __future__ import annotations

from tests.bench.arena import AtArena, Stretch
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Generator
from tests.bench.subject import SubjectFactory

NAME = "stopped"
SHARE = 10  # one of so many stops
SCORES_PER_S = 20.0
FILL_S = 2.0
WHEN = {"before": "before", "while": "while they do not read", "after": "after"}


class StillTaken(Exception):
    """The server's way to those who stopped has not filled, so nothing would be measured."""


class StoppedMeasure(AtArena):
    """The same stretch of scores before, while and after a tenth of the clients do not read.

    Those fill the way to themselves by questions whose answers they do not read. Once they read again every client must
    show the true board.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        super().__init__(start, options)
        self._crowd: Generator
        self._stopping = options.viewers // SHARE
        self.figures: tuple[Figure, ...] = (
            *(
                Figure(f"screen_median_{at}", f"submit to screen of the others, median, {told}", "ms")
                for at, told in WHEN.items()
            ),
            *(
                Figure(f"screen_p99_{at}", f"submit to screen of the others, p99, {told}", "ms", Mark(1150))
                for at, told in WHEN.items()
            ),
            *(Figure(f"server_{at}", f"processor: server, {told}", "% of a core") for at, told in WHEN.items()),
            *(
                Figure(f"lag_max_{at}", f"longest turn of the loop, at most, {told}", "ms", Mark(25))
                for at, told in WHEN.items()
            ),
            Figure("skipped", "steps skipped for them", "frames"),
            Figure("grown", "resident memory, more than before, while", "MiB"),
            Figure(
                "caught_up", "of them with the true board afterwards", "clients", Mark(self._stopping, at_least=True)
            ),
        )

    def _gather(self) -> None:
        self._crowd = self._arena.crowd()

    def warm_up(self) -> None:
        """All come, and stay."""
        self._crowd.ask(join=self._stopping, per_s=1000, small=True, settle=True)
        self._arena.warm_up(self._crowd, self._options.viewers - self._stopping)

    def round(self, number: int) -> Reading:
        """Before, while, after."""
        rss = self._arena.subject.memory().rss
        before = self._stretch()
        self._arena.stretch(self._crowd, FILL_S, SCORES_PER_S, stop=self._stopping)
        stopped = self._stretch()
        skipped = stopped.counted["live_frames_skipped_total"]
        if skipped < self._stopping:
            raise StillTaken(f"{skipped:.0f} steps were skipped")
        grown = self._arena.subject.memory().rss - rss
        self._crowd.ask(resume=True, watch_s=FILL_S)
        after = self._stretch()
        self._arena.require_true(after.seen)
        return Reading(
            {
                **{
                    key: value
                    for at, each in zip(WHEN, (before, stopped, after), strict=True)
                    for key, value in _told(at, each)
                },
                "skipped": skipped,
                "grown": grown / 2**20,
                "caught_up": float(after.seen["watching"] - self._options.viewers + self._stopping),
            }
        )

    def _stretch(self) -> Stretch:
        return self._arena.stretch(self._crowd, self._options.window_s, SCORES_PER_S)


def _told(at: str, stretch: Stretch) -> list[tuple[str, float]]:
    screen = stretch.screen("screen_")
    return [
        *((f"{key}_{at}", value) for key, value in screen.items()),
        (f"server_{at}", 100 * stretch.server_share),
        (f"lag_max_{at}", stretch.lag.percentile(100)),
    ]
