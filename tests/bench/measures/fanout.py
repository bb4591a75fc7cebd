"""What the delivery of one board frame to one client costs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from tests.bench.feed import Feed, feeding
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.subject import SubjectFactory

#: As by default, when everything the processor knew of a connection is forgotten by the next tick; and a busy one.
TICKS_S = {"": 1.0, "busy_": 0.1}
#: Scores a tick: as few as give each tick something to show, because their own cost is taken off again and its noise
#: is not.
SPARSE = 1.1


class FanoutMeasure:
    """A steady trickle of scores, first with no client and then with many; the same scores in both windows.

    A delivery is one board frame at one client. Its cost is the processor time of the server's whole process (all
    threads, user and kernel; on one machine also the kernel's half of the client's TCP) with the clients, less that
    without, divided by the deliveries counted at the clients.
    """

    names: tuple[str, ...] = ("fanout",)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._feeds: dict[str, Feed] = {}
        self.figures: tuple[Figure, ...] = tuple(
            figure for prefix, tick_s in TICKS_S.items() for figure in _figures(prefix, tick_s)
        )

    def __enter__(self) -> Self:
        for prefix, tick_s in TICKS_S.items():
            self._feeds[prefix] = self._scope.enter_context(feeding(self._start, tick_s, socket=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Both."""
        for feed in self._feeds.values():
            feed.warm_up(self._options.viewers)

    def round(self, number: int) -> Reading:
        """Both."""
        values: dict[str, float] = {}
        for prefix, feed in self._feeds.items():
            values |= {prefix + key: value for key, value in self._costs(feed).items()}
        return Reading(values)

    def _costs(self, feed: Feed) -> dict[str, float]:
        """Without clients, then with them."""
        alone = feed.window(self._options.window_s, SPARSE)
        joined_per_s = feed.join(self._options.viewers)
        shared = feed.window(self._options.window_s, SPARSE)
        feed.leave()
        deliveries = shared.received("boards")
        return {
            "delivery_us": (shared.server_s - alone.server_s) / deliveries * 1e6,
            "viewer_us": shared.viewers_s / deliveries * 1e6,
            "deliveries": float(deliveries),
            "bytes": shared.received("bytes") / deliveries,
            "others": float(shared.received("others")),
            "behind": float(shared.seen["behind"]),
            "alone_ms": alone.server_s * 1000 / len(alone.sent),
            "join_per_s": joined_per_s,
        }


def _figures(prefix: str, tick_s: float) -> tuple[Figure, ...]:
    tick = f"tick of {tick_s:g} s"
    return (
        Figure(f"{prefix}delivery_us", f"processor: server, {tick}", "us/delivery", Mark(10)),
        Figure(f"{prefix}viewer_us", "processor: load generator", "us/delivery"),
        Figure(f"{prefix}deliveries", "board frames received", "frames"),
        Figure(f"{prefix}bytes", "bytes received", "B/delivery"),
        Figure(f"{prefix}others", "other frames (rank changes)", "frames"),
        Figure(f"{prefix}behind", "clients without the last version", "clients"),
        Figure(f"{prefix}alone_ms", f"processor: server without clients, {tick}", "ms/score"),
        Figure(f"{prefix}join_per_s", "clients joined one by one", "1/s"),
    )
