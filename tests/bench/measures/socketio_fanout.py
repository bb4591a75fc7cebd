"""What a delivery and a session cost over Socket.IO, beside the plain WebSocket and beside Socket.IO on Node."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from tests.bench.feed import feeding
from tests.bench.figure import Figure, Options, Reading
from tests.bench.measures.fanout import SPARSE
from tests.bench.measures.memory import grown_by_clients
from tests.bench.measures.versus_fanout import Side, a_board
from tests.bench.peers.audience import Audience
from tests.bench.peers.programs import Absent
from tests.bench.subject import SubjectFactory
from tests.bench.versus import OURS, compared, counted, in_turn, with_ratios

NAME = "socketio-fanout"
PLAIN, NODE = "plain WebSocket", "Socket.IO on Node"
DIALECTS = {OURS: "scoreboard-socketio", PLAIN: "scoreboard"}
TICK_S = 0.1
WARM_UP_S = 2.0


class SocketIoFanoutMeasure:
    """One board at many clients that speak Socket.IO on a WebSocket, who take differences; so do those of both others.

    A delivery is measured as in `fanout`. Memory is the growth of a fresh server by its clients, as in `memory`.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._sides: dict[str, Side] = {}
        self.left_out: dict[str, str] = {}
        self.figures: tuple[Figure, ...] = (
            *compared(f"processor: server, tick {TICK_S:g} s", "us/delivery", "delivery_us", (PLAIN, NODE), {}),
            *compared("processor: load generator", "us/delivery", "viewer_us", (PLAIN, NODE), {}),
            *counted("bytes", "B/delivery", "bytes", (PLAIN, NODE)),
            *counted("deliveries", "frames", "deliveries", (PLAIN, NODE)),
            *counted("clients without the last", "clients", "behind", (PLAIN, NODE)),
            *compared("resident memory", "KiB/client", "memory_kib", (PLAIN,), {}),
        )

    def __enter__(self) -> Self:
        feeds = {
            name: self._scope.enter_context(feeding(self._start, TICK_S, socket=True, dialect=dialect))
            for name, dialect in DIALECTS.items()
        }
        self._sides = {name: Side(feed, TICK_S, SPARSE) for name, feed in feeds.items()}
        try:
            node = self._scope.enter_context(Audience("socketio", a_board(feeds[PLAIN])))
        except Absent as reason:
            self.left_out[NODE] = str(reason)
        else:
            self._sides[NODE] = Side(node, TICK_S, TICK_S)
        for feed in feeds.values():
            feed.warm_up(self._options.viewers)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All once."""
        for side in self._sides.values():
            side.costs(self._options.viewers, WARM_UP_S)
            side.alone_s.clear()

    def round(self, number: int) -> Reading:
        """All; whoever was first is last in the next round."""
        viewers, seconds = self._options.viewers, self._options.window_s / 4
        costs = {name: self._sides[name].costs(viewers, seconds) for name in in_turn(self._sides, number)}
        for name in in_turn(DIALECTS, number):
            before, after = grown_by_clients(self._start, viewers, DIALECTS[name])
            costs[name]["memory_kib"] = (after.rss - before.rss) / viewers / 1024
        return with_ratios(costs)
