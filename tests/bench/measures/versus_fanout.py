"""What the delivery of one board frame to one client costs: ours, Socket.IO's, `ws`'s, and a loop of write() in C."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol, Self

from tests.bench.feed import Feed, Window, feeding
from tests.bench.figure import Figure, Mark, Options, Reading
from tests.bench.measures.fanout import SPARSE, TICKS_S
from tests.bench.peers.audience import Audience
from tests.bench.peers.programs import Absent
from tests.bench.statistics import median
from tests.bench.subject import SubjectFactory
from tests.bench.versus import OURS, compared, counted, in_turn, with_ratios

NAME = "versus-fanout"
KINDS = {"Socket.IO": "socketio", "ws": "ws", "C loop": "floor"}
MARKS = {"Socket.IO": Mark(0.55), "C loop": Mark(1.9)}
#: Ten digits: whoever counts up need not move what follows.
FIRST_VERSION = 1_000_000_000
BUSY = "busy_"
#: With the slow tick a window is mostly waiting; it is looked at in every second round only.
SLOW_EVERY = 2
#: Faster than this no server here keeps up on two cores, and what is then measured is how it gives up.
MOST_PER_S = 20_000
WARM_UP_S = 2.0


class Clients(Protocol):
    """A server with clients that come and go."""

    def join(self, viewers: int) -> float:
        """Open so many; how many a second."""

    def leave(self) -> None:
        """Close all."""

    def window(self, seconds: float, rate: float, /) -> Window:
        """Something to show for so long."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server at one tick; `rate` is what its `window` wants to know beside the length.

    `alone_s` holds what it needed without clients in all windows until now. It is always the same, so their median is
    taken off: one bad window does not make the deliveries of a round cheap. So all windows are of one length.
    """

    clients: Clients
    tick_s: float
    rate: float
    alone_s: list[float] = field(default_factory=list)

    def costs(self, viewers: int, seconds: float) -> dict[str, float]:
        """Without clients, then with them. Both as long: connections that bring scores, and idling, are in both."""
        self.alone_s.append(self.clients.window(seconds, self.rate).server_s)
        self.clients.join(viewers)
        shared = self.clients.window(seconds, self.rate)
        self.clients.leave()
        deliveries = shared.received("boards")
        own_s = median(self.alone_s)
        return {
            "delivery_us": (shared.server_s - own_s) / deliveries * 1e6,
            "own_us": own_s / deliveries * 1e6,
            "viewer_us": shared.viewers_s / deliveries * 1e6,
            "spread_ms": median(spreads_ms(shared)),
            "bytes": shared.received("bytes") / deliveries,
            "deliveries": float(deliveries),
            "behind": float(shared.seen["behind"]),
        }


class VersusFanoutMeasure:
    """The same board, as our own server last sent it, to as many clients as often; the same clients read and count.

    Our server is led by a trickle of scores on live sockets, the peers by a timer. What either needs without clients is
    measured too and taken off. One after the other in each round, in turning order.
    """

    names: tuple[str, ...] = (NAME,)

    def __init__(self, start: SubjectFactory, options: Options) -> None:
        self._start = start
        self._options = options
        self._scope = ExitStack()
        self._ticks_s = {prefix: tick_s for prefix, tick_s in TICKS_S.items() if options.viewers / tick_s <= MOST_PER_S}
        self._sides: dict[str, dict[str, Side]] = {prefix: {} for prefix in self._ticks_s}
        self.left_out: dict[str, str] = {}
        self.figures: tuple[Figure, ...] = tuple(
            figure for prefix, tick_s in self._ticks_s.items() for figure in _figures(prefix, tick_s)
        )

    def __enter__(self) -> Self:
        feeds = {
            prefix: self._scope.enter_context(feeding(self._start, tick_s, socket=True))
            for prefix, tick_s in self._ticks_s.items()
        }
        for prefix, feed in feeds.items():
            self._sides[prefix][OURS] = Side(feed, TICKS_S[prefix], SPARSE)
        board = a_board(feeds[""])
        for name, kind in KINDS.items():
            try:
                audience = self._scope.enter_context(Audience(kind, board))
            except Absent as reason:
                self.left_out[name] = str(reason)
                continue
            for prefix, tick_s in self._ticks_s.items():
                self._sides[prefix][name] = Side(audience, tick_s, tick_s)
        return self

    def __exit__(self, *_: object) -> None:
        self._scope.close()

    def warm_up(self) -> None:
        """All; broadcasters at the fast tick only, for they are the same processes at both."""
        for prefix, sides in self._sides.items():
            for side in sides.values():
                if isinstance(side.clients, Feed):
                    side.clients.warm_up(self._options.viewers)
                elif prefix == BUSY or BUSY not in self._sides:
                    side.costs(self._options.viewers, WARM_UP_S)
                    side.alone_s.clear()

    def round(self, number: int) -> Reading:
        """All; whoever was first is last in the next round."""
        if BUSY not in self._sides:
            return Reading(self._compared("", number, self._options.window_s / 2))
        values = self._compared(BUSY, number, self._options.window_s / 4)
        if number % SLOW_EVERY == 0:
            values |= self._compared("", number // SLOW_EVERY, self._options.window_s / 2)
        return Reading(values)

    def _compared(self, prefix: str, number: int, seconds: float) -> dict[str, float]:
        sides = self._sides[prefix]
        costs = {name: sides[name].costs(self._options.viewers, seconds) for name in in_turn(sides, number)}
        return {prefix + key: value for key, value in with_ratios(costs).values.items()}


def spreads_ms(window: Window) -> list[float]:
    """For each board: from the first to the last of the sampled clients that have it."""
    boards = {piece["number"] for piece in window.seen["pieces"] if piece["boards"]}
    arrived: dict[int, list[int]] = {}
    for arrivals in window.seen["arrivals"]:
        for at_ns, number in arrivals:
            if number in boards:
                arrived.setdefault(number, []).append(at_ns)
    return [(max(each) - min(each)) / 1e6 for each in arrived.values()]


def a_board(feed: Feed) -> str:
    """A diff as our server sends it, for the peers to send."""
    feed.join(1)
    last = json.loads(feed.window(3 * feed.subject.tick_s, SPARSE).seen["last"])
    feed.leave()
    last["data"]["to"] = FIRST_VERSION
    return json.dumps(last, separators=(",", ":"))


def _figures(prefix: str, tick_s: float) -> list[Figure]:
    tick, peers = f"tick {tick_s:g} s", tuple(KINDS)
    return [
        *compared(f"processor: server, {tick}", "us/delivery", f"{prefix}delivery_us", peers, MARKS),
        *counted(f"taken off for what is shown, {tick}", "us/delivery", f"{prefix}own_us", peers),
        *compared(f"wall: first to last client, {tick}", "ms", f"{prefix}spread_ms", peers, {}),
        *compared(f"processor: load generator, {tick}", "us/delivery", f"{prefix}viewer_us", peers, {}),
        *counted(f"bytes, {tick}", "B/delivery", f"{prefix}bytes", peers),
        *counted(f"deliveries, {tick}", "frames", f"{prefix}deliveries", peers),
        *counted(f"clients without the last, {tick}", "clients", f"{prefix}behind", peers),
    ]
