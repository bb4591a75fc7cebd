"""How long a score takes to the screen."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Self

from tests.bench.feed import Feed, Window, feeding
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.statistics import curve, percentile
from tests.bench.subject import SubjectFactory

TICK_S = 1.0
#: Scores a tick: many, and not a whole number, to fall into all its phases.
DENSE = 4.3


class NotShown(Exception):
    """A score that was acknowledged did not reach a client in time."""


class ScreenMeasure:
    """A trickle of scores, each followed from the sending of its increment to a sample of many clients."""

    names: tuple[str, ...] = ("screen",)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._feed: Feed
        self.figures: tuple[Figure, ...] = (
            Figure("screen_median", f"median, {options.viewers:,} clients", "ms"),
            Figure("screen_p99", f"p99, {options.viewers:,} clients", "ms", _mark(options.viewers)),
            Figure("screen_samples", "scores followed, times clients", "samples"),
        )

    def __enter__(self) -> Self:
        self._feed = self._scope.enter_context(feeding(self._start, TICK_S))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Some scores with all clients."""
        self._feed.warm_up(self._options.viewers)

    def round(self, number: int) -> Reading:
        """Join, follow, leave."""
        self._feed.join(self._options.viewers)
        found = sorted(screen_ms(self._feed.window(self._options.window_s, DENSE)))
        self._feed.leave()
        values = {
            "screen_median": percentile(found, 50),
            "screen_p99": percentile(found, 99),
            "screen_samples": float(len(found)),
        }
        return Reading(values, {"screen": curve(found)})


def _mark(viewers: int) -> Mark:
    """Beyond a thousand clients delivering itself takes its time."""
    return Mark(TICK_S * 1000 + (150 if viewers <= 1000 else 200))


def screen_ms(window: Window) -> list[float]:
    """For each score and each sampled client: from the sending of the increment to the frame that shows it.

    Raises:
        NotShown: a client never got it.
    """
    shown: dict[int, dict[str, Any]] = {piece["number"]: piece["scores"] for piece in window.seen["pieces"]}
    found = []
    for arrivals in window.seen["arrivals"]:
        for sent_ns, user_id, score in window.sent:
            at_ns = next((at for at, piece in arrivals if shown[piece].get(user_id, -1) >= score), None)
            if at_ns is None:
                raise NotShown(f"the score {score} of {user_id} was not shown")
            found.append((at_ns - sent_ns) / 1e6)
    return found
