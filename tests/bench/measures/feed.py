"""The live feed with many clients: what a delivery costs, and how long a score takes to the screen."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Self

from tests.bench.accounts import register
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.generator import Command, Generator
from tests.bench.statistics import curve, percentile
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet

PLAYERS = 10
#: Scores a tick while deliveries are measured: as few as give each tick something to show, because their own cost is
#: taken off again and its noise is not.
SPARSE = 1.1
#: Scores a tick while the way to the screen is measured: many, and not a whole number, to fall into all its phases.
DENSE = 4.3
QUIET = {"SCOREBOARD_BOARD_PING_S": "600"}  # keep-alive pings are another matter than deliveries


class NotShown(Exception):
    """A score that was acknowledged did not reach a client in time."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one window of scores cost and showed."""

    server_s: float
    viewers_s: float
    sent: list[tuple[int, str, int]]
    seen: Command


class FeedMeasure:
    """A steady trickle of scores, first with no client and then with many; the same scores in both windows.

    In a third window come more scores, and each is followed to the screens.

    A delivery is one board frame at one client. Its cost is the processor time of the server's whole process (all
    threads, user and kernel; on one machine also the kernel's half of the client's TCP) with the clients, less that
    without, divided by the deliveries counted at the clients.
    """

    names: tuple[str, ...] = ("fanout", "screen")

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._subject: Subject
        self._trickle: Generator
        self._viewers: Generator
        self.figures: tuple[Figure, ...] = ()

    def __enter__(self) -> Self:
        self._subject = self._scope.enter_context(self._start(**QUIET))
        self.figures = figures(self._options.viewers, self._subject.tick_s)
        port = self._subject.port
        players = [asdict(account) for account in register(port, PLAYERS)]
        trickle = Generator("tests.bench.trickle_generator", port=port, players=players)
        self._trickle = self._scope.enter_context(trickle)
        self._viewers = self._scope.enter_context(Generator("tests.bench.viewers_generator", port=port))
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """Spread the scores, so that no rank changes later; then some scores with all clients."""
        self._trickle.ask(spread=2)
        self._viewers.ask(connect=self._options.viewers)
        self._window(2.0, DENSE)
        self._leave()

    def round(self, number: int) -> Reading:
        """Without clients, then with them, then with more scores."""
        seconds = self._options.window_s
        alone = self._window(seconds, SPARSE)
        joined = self._viewers.ask(connect=self._options.viewers)
        wait_until_quiet(self._subject)
        shared = self._window(seconds, SPARSE)
        dense = self._window(seconds, DENSE)
        self._leave()
        deliveries = received(shared, "boards")
        extra_s = shared.server_s - alone.server_s
        screen = sorted(screen_ms(dense))
        values = {
            "delivery_us": extra_s / deliveries * 1e6,
            "alone_ms": alone.server_s * 1000 / len(alone.sent),
            "viewer_us": shared.viewers_s / deliveries * 1e6,
            "deliveries": float(deliveries),
            "bytes": received(shared, "bytes") / deliveries,
            "others": float(received(shared, "others")),
            "behind": float(shared.seen["behind"] + dense.seen["behind"]),
            "join_per_s": self._options.viewers / joined["connect_s"],
            "screen_median": percentile(screen, 50),
            "screen_p99": percentile(screen, 99),
        }
        return Reading(values, {"screen": curve(screen)})

    def _leave(self) -> None:
        self._viewers.ask(leave=True)
        wait_until_quiet(self._subject)  # its work for those who left must not count in the next window

    def _window(self, seconds: float, scores_a_tick: float) -> Window:
        tick_s = self._subject.tick_s
        every_s = tick_s / scores_a_tick
        before, viewers_s = self._subject.usage(), self._viewers.processor_s()
        self._trickle.begin(count=round(seconds / every_s), every_s=every_s)
        seen = self._viewers.ask(watch_s=seconds + 1.5 * tick_s)  # until the last one has been shown
        sent = self._trickle.result()["sent"]
        used = self._subject.usage().since(before)
        return Window(used.server_s, self._viewers.processor_s() - viewers_s, sent, seen)


def figures(viewers: int, tick_s: float) -> tuple[Figure, ...]:
    """The figures of a feed with so many clients."""
    return (
        Figure("delivery_us", f"processor: server, with {viewers:,} clients", "us/delivery", Mark(10)),
        Figure("viewer_us", "processor: load generator", "us/delivery"),
        Figure("deliveries", "board frames received", "frames"),
        Figure("bytes", "bytes received", "B/delivery"),
        Figure("others", "other frames received (rank changes)", "frames"),
        Figure("behind", "clients without the last version", "clients"),
        Figure("alone_ms", "processor: server, no client", "ms/score"),
        Figure("join_per_s", "clients joined one after the other", "1/s"),
        Figure("screen_median", "submit to screen, median", "ms"),
        Figure("screen_p99", "submit to screen, p99", "ms", Mark(tick_s * 1000 + 150)),
    )


def received(window: Window, what: str) -> int:
    """How many `boards`, `others` or `bytes` all clients got together."""
    return sum(piece[what] * piece["count"] for piece in window.seen["pieces"])


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
