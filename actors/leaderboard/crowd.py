"""All who watch one channel, by the way in which a step reaches them. Synchronous.

Whoever is up to date and has nothing else under way sits in a lane, one for each wire form, and is given the bytes. All
others are offered the step one by one, and decide for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from actors.leaderboard.events import Channel
from actors.leaderboard.lane import Fallen, Lane
from actors.leaderboard.messages import Send, Subscriber
from actors.leaderboard.update import Dialect, Update

#: So many connections are served before others get a turn; each is a system call (``scripts/bench lag``).
SLICE = 250


class Crowd:
    """Everybody is either in a lane or among the others. Outlives the incarnations of its audience.

    Args:
        channel: What they watch.
        delivered: Is told how many took a step from their lanes; the others count for themselves.
        skipped: Is told how many deliveries a step would have been that came too late to be shown.
    """

    def __init__(
        self,
        channel: Channel,
        delivered: Callable[[int], None] = lambda _: None,
        skipped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.channel = channel
        self.current: Update | None = None
        self._delivered = delivered
        self._skipped = skipped
        self._others: dict[Subscriber, None] = {}  # a set that keeps its order
        self._lanes: dict[tuple[str, bool], Lane[Subscriber]] = {}

    def __repr__(self) -> str:
        return f"<Crowd {self.channel}, {len(self)} watching, {len(self._others)} not in a lane>"

    def __len__(self) -> int:
        return len(self._others) + sum(map(len, self._lanes.values()))

    def __contains__(self, subscriber: object) -> bool:
        return subscriber in self._others or any(subscriber in lane for lane in self._lanes.values())

    # --- coming and going ---

    def join(self, subscriber: Subscriber) -> None:
        """Watch from now on; offered what the channel shows, if that is known."""
        if subscriber not in self:
            self._others[subscriber] = None
        if self.current is not None:
            self._offer(subscriber, self.current)

    def leave(self, subscriber: Subscriber) -> None:
        """Watch no more; nothing happens to one who does not."""
        self._others.pop(subscriber, None)
        for lane in self._lanes.values():
            if subscriber in lane:
                lane.leave(subscriber)

    def seat(self, subscriber: Subscriber, dialect: Dialect, send: Send, *, full: bool, shown: tuple[str, int]) -> bool:
        """Give it a seat in the lane of its wire form, if `shown` (epoch, version) is what the channel shows.

        From now on only the lane sends it steps, until it asks `unseat` or falls out.
        """
        current = self.current
        if current is None or shown != (current.epoch, current.version) or subscriber not in self._others:
            return False
        lane = self._lanes.get((dialect.name, full))
        if lane is None:
            lane = self._lanes[dialect.name, full] = Lane(dialect, current, full=full)
        del self._others[subscriber]
        lane.enter(subscriber, send)
        return True

    def unseat(self, subscriber: Subscriber) -> Update | None:
        """Offer it steps one by one again; what it has been shown last, None if it had no seat."""
        for lane in self._lanes.values():
            if subscriber in lane:
                self._others[subscriber] = None
                return lane.leave(subscriber)
        return None

    # --- steps ---

    def show(self, update: Update) -> Iterator[None]:
        """Give a step to all. Pauses after every slice; nobody may join or leave the channel meanwhile.

        The others come last, because among them are then those who fell out of a lane on the way.
        """
        self.current = update
        lanes = tuple(self._lanes.values())
        for lane in lanes:
            lane.begin(update)
        for lane in lanes:
            while lane.unfinished:
                given, fallen = lane.advance(SLICE)
                self._delivered(given + self._let_stand(fallen))
                yield
        for count, subscriber in enumerate(tuple(self._others), 1):
            self._offer(subscriber, update)
            if count % SLICE == 0:
                yield

    def skip(self, steps: int) -> None:
        """Count so many steps that nobody was shown, because newer ones had come."""
        if steps:
            self._skipped(steps * len(self))

    def scatter(self) -> None:
        """Nobody knows any more what the channel shows: all stand again, each with what it was shown last."""
        self.current = None
        for lane in self._lanes.values():
            self._let_stand(lane.clear())
        self._lanes.clear()

    def _let_stand(self, fallen: list[Fallen[Subscriber]]) -> int:
        """How many of them took the beginning of a step, and so will have the whole."""
        for subscriber, shown, rest in fallen:
            self._others[subscriber] = None
            subscriber.fell_out(self.channel, shown, rest)
        return sum(bool(each.rest) for each in fallen)

    def _offer(self, subscriber: Subscriber, update: Update) -> None:
        if subscriber.offer(update):
            subscriber.settle(self)
        else:
            self.leave(subscriber)
