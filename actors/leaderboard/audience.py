"""All who watch one channel. Takes each step of the board and offers the same bytes to every connection.

What the channel shows comes only by `Show`, in the board's order, also for the first who joins: an answer to a question
of ours might overtake a step that is still on its way, and then an old board would be shown as a new one.
"""

from __future__ import annotations

from typing import Any

import trio

from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Join, Leave, Show, Subscriber, Unwatch, Update, Watch
from actors.runtime import Actor, ActorError, Ref

#: So many connections are served before others get a turn: at 10 microseconds each, 2.5 ms.
SLICE = 250


class AudienceActor(Actor):
    """Offers the steps of one channel to those who watch it.

    `audience` outlives incarnations. While the board has shown nothing it is reminded every `retry_s` seconds.
    """

    def __init__(self, channel: Channel, board: Ref, audience: set[Subscriber], *, retry_s: float = 1.0) -> None:
        self._channel = channel
        self._board = board
        self._audience = audience
        self._retry_s = retry_s
        self._current: Update | None = None
        self._wanted = False

    def __repr__(self) -> str:
        return f"<AudienceActor {self._channel}, {len(self._audience)} watching>"

    def may_passivate(self) -> bool:
        """Not while somebody watches."""
        return not self._audience

    async def started(self) -> None:
        """After a crash in the middle of a step, those who missed it must be shown where the board stands."""
        if self._audience:
            self._want()

    async def woken(self) -> None:
        """The board has shown nothing yet."""
        if self._audience and self._current is None:
            self._want()

    async def receive(self, message: Any) -> None:
        """Work on one message."""
        match message:
            case Join(subscriber):
                self._join(subscriber)
            case Leave(subscriber):
                self._audience.discard(subscriber)
                self._rest_if_empty()
            case Show(update):
                await self._show(update)
            case _:
                raise TypeError(f"an audience does not understand {message!r}")

    def _join(self, subscriber: Subscriber) -> None:
        self._audience.add(subscriber)
        if self._current is not None:
            subscriber.offer(self._current)
        elif not self._wanted:  # one question is enough for all who come while the board is busy
            self._want()

    def _want(self) -> None:
        """Ask the board to show the channel; the alarm asks again if it could not hear."""
        self._wanted = True
        self.wake_at = trio.current_time() + self._retry_s
        _tell(self._board, Watch(self._channel))

    def _rest_if_empty(self) -> None:
        """With nobody here the board need not compute steps. If it does not hear that, the next step says it again."""
        if not self._audience:
            self._current, self._wanted = None, False
            _tell(self._board, Unwatch(self._channel))

    async def _show(self, update: Update) -> None:
        known, self._current, self._wanted = self._current, update, False
        if known is None or (known.full.epoch, known.full.version) != (update.full.epoch, update.full.version):
            await self._fan_out(update)
        self._rest_if_empty()

    async def _fan_out(self, update: Update) -> None:
        """In slices; nobody joins or leaves meanwhile, for this actor works on one message at a time."""
        for count, subscriber in enumerate(tuple(self._audience), 1):
            if not subscriber.offer(update):
                self._audience.discard(subscriber)
            if count % SLICE == 0:
                await trio.lowlevel.checkpoint()


def _tell(board: Ref, message: Watch | Unwatch) -> None:
    try:
        board.tell(message)
    except ActorError:
        return  # both are said again
