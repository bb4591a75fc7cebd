"""A subject with a trickle of scores and any number of clients of the live feed, as two measures use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.bench.accounts import register
from tests.bench.generator import Command, Generator
from tests.bench.subject import Subject, SubjectFactory, wait_until_quiet

PLAYERS = 10
GAP = 2  # between their scores, so that scoring in turn changes no rank
WARM_UP_S = 2.0
#: Pings are another matter than deliveries.
KEEP_ALIVE = {"SCOREBOARD_BOARD_PING_S": "600", "SCOREBOARD_SOCKETIO_PING_INTERVAL_S": "600"}


@dataclass(frozen=True, slots=True)
class Window:
    """What one window of scores cost and showed. `sent` holds when, whose and which score of each increment."""

    server_s: float
    viewers_s: float
    sent: list[tuple[int, str, int]]
    seen: Command

    def received(self, what: str) -> int:
        """How many `boards`, `others` or `bytes` all clients got together."""
        return sum(piece[what] * piece["count"] for piece in self.seen["pieces"])


class Feed:
    """The server and the two load generators; `feeding` starts and ends them."""

    def __init__(self, subject: Subject, trickle: Generator, viewers: Generator) -> None:
        self.subject = subject
        self._trickle = trickle
        self._viewers = viewers

    def warm_up(self, viewers: int) -> None:
        """Set the scores apart; then some scores with all clients."""
        self._trickle.ask(spread=GAP)
        self.join(viewers)
        self.window(WARM_UP_S, 4.0)
        self.leave()

    def join(self, viewers: int) -> float:
        """Open and subscribe clients; how many a second when they come one after the other."""
        took_s: float = self._viewers.ask(connect=viewers)["connect_s"]
        wait_until_quiet(self.subject)
        return viewers / took_s

    def leave(self) -> None:
        """Close all clients; what the server has to do for that does not count in the next window."""
        self._viewers.ask(leave=True)
        wait_until_quiet(self.subject)

    def window(self, seconds: float, scores_a_tick: float) -> Window:
        """Scores, evenly, for so long, and until the last one has been shown."""
        tick_s = self.subject.tick_s
        every_s = tick_s / scores_a_tick
        before, viewers_s = self.subject.usage(), self._viewers.processor_s()
        self._trickle.begin(count=round(seconds / every_s), every_s=every_s)
        seen = self._viewers.ask(watch_s=seconds + tick_s + 0.5)
        sent = self._trickle.result()["sent"]
        used = self.subject.usage().since(before)
        return Window(used.server_s, self._viewers.processor_s() - viewers_s, sent, seen)


@contextmanager
def feeding(
    start: SubjectFactory, tick_s: float, *, socket: bool = False, dialect: str = "scoreboard"
) -> Iterator[Feed]:
    """A fresh server with that tick, some players, and no client yet; they score by REST, or on live sockets."""
    with start(**KEEP_ALIVE, SCOREBOARD_BOARD_TICK_S=f"{tick_s:g}") as subject:
        players = [asdict(account) for account in register(subject.port, PLAYERS)]
        with (
            Generator("tests.bench.trickle_generator", port=subject.port, players=players, socket=socket) as trickle,
            Generator("tests.bench.viewers_generator", port=subject.port, dialect=dialect) as viewers,
        ):
            yield Feed(subject, trickle, viewers)
