"""Those who watch: one state a channel, and any number of loops over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import trio

from scoreboard.client.board import View
from scoreboard.client.errors import ScoreboardError

NEWS_KEPT = 256


@dataclass(frozen=True, slots=True)
class News:
    """What a channel tells beside its board: the name of the event and its data, as ``live.md`` has them."""

    event: str
    data: Mapping[str, Any]


class Channel:
    """What is known of one channel."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.view = View(name)
        self.shown = False
        self.etag: str | None = None
        self.radius: int | None = None
        self.watches: WeakSet[Watch | Listener] = WeakSet()

    def __repr__(self) -> str:
        return f"<Channel {self.name} at version {self.view.version}, {len(self.watches)} watch>"

    def accept(self, view: View, etag: str | None = None) -> None:
        """The board is this one now."""
        self.view, self.shown, self.etag = view, True, etag
        for watch in list(self.watches):
            watch.offer(view)

    def tell(self, news: News) -> None:
        """Something else has been told."""
        for watch in list(self.watches):
            watch.tell(news)

    def end(self, error: ScoreboardError | None) -> None:
        """There is nothing more to see: loops end, with this error if there is one."""
        for watch in list(self.watches):
            watch.end(error)


class _Ends:
    """What loops over a channel have in common: they end, and when they are left the channel hears of it."""

    def __init__(self, channel: Channel, left: Callable[[Channel], None]) -> None:
        self._channel = channel
        self._left = left
        self._changed = trio.Event()
        self._ended = False
        self._error: ScoreboardError | None = None
        channel.watches.add(self)  # type: ignore[arg-type]  # both kinds derive from this one

    def close(self) -> None:
        """Leaves the channel; done by itself when a loop over it has been left."""
        if self in self._channel.watches:
            self._channel.watches.discard(self)  # type: ignore[arg-type]
            self._left(self._channel)

    # A loop that was left lets go of its iterator; nobody should have to write `aclosing` round a loop.
    __del__ = close

    def end(self, error: ScoreboardError | None) -> None:
        """Nothing more comes."""
        self._ended, self._error = True, error
        self._wake()

    def offer(self, view: View) -> None:
        """A new board."""

    def tell(self, news: News) -> None:
        """Something else."""

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _stop(self) -> None:
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration


class Watch(_Ends):
    """Views of one channel: the first at once, then at most one in `debounce_s`, each the newest there is."""

    def __init__(self, channel: Channel, left: Callable[[Channel], None], debounce_s: float) -> None:
        super().__init__(channel, left)
        self._debounce_s = debounce_s
        self._next: View | None = channel.view if channel.shown else None
        self._not_before = trio.current_time()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> View:
        """The next view; raises ScoreboardError when the channel cannot be watched."""
        while True:
            await trio.sleep_until(self._not_before)
            if self._ended:
                self._stop()
            if self._next is not None:
                view, self._next = self._next, None
                self._not_before = trio.current_time() + self._debounce_s
                return view
            await self._changed.wait()

    def offer(self, view: View) -> None:
        """A new board takes the place of one that nobody took yet."""
        self._next = view
        self._wake()


class Listener(_Ends):
    """News of one channel, in order; of those that nobody took in time the oldest are dropped and counted."""

    def __init__(self, channel: Channel, left: Callable[[Channel], None]) -> None:
        super().__init__(channel, left)
        self._kept: deque[News] = deque()
        self.dropped = 0

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> News:
        """The next news; raises ScoreboardError when the channel cannot be watched."""
        await trio.lowlevel.checkpoint()
        while not self._kept:
            if self._ended:
                self._stop()
            await self._changed.wait()
        return self._kept.popleft()

    def tell(self, news: News) -> None:
        """Something else, kept until it is taken."""
        if len(self._kept) == NEWS_KEPT:
            self._kept.popleft()
            self.dropped += 1
        self._kept.append(news)
        self._wake()
