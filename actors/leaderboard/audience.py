"""All who watch one channel. Takes each step of the board and offers the same bytes to every connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import trio

from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Watch
from actors.leaderboard.update import Update
from actors.runtime import Actor, Question, Ref

#: So many connections are served before others get a turn: at 10 microseconds each, 2.5 ms.
SLICE = 250


class Subscriber(Protocol):
    """A connection, as its audience sees it."""

    def offer(self, update: Update) -> bool:
        """Take a step, or remember to catch up later; False when it has gone. Never waits and never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Join(Question[None]):
    """Offer this subscriber what the channel shows, and every step from now on."""

    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Leave:
    """Offer this subscriber nothing more."""

    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Show:
    """The board's next step."""

    update: Update


class AudienceActor(Actor):
    """Offers the steps of one channel to those who watch it. `audience` outlives incarnations."""

    def __init__(self, channel: Channel, board: Ref, audience: set[Subscriber], *, within_s: float = 10.0) -> None:
        self._channel = channel
        self._board = board
        self._audience = audience
        self._within_s = within_s
        self._current: Update | None = None

    def __repr__(self) -> str:
        return f"<AudienceActor {self._channel}, {len(self._audience)} watching>"

    def may_passivate(self) -> bool:
        """Not while somebody watches."""
        return not self._audience

    async def receive(self, message: Any) -> None:
        """Work on one message."""
        match message:
            case Join(subscriber):
                self._audience.add(subscriber)
                subscriber.offer(await self._shown())
            case Leave(subscriber):
                self._audience.discard(subscriber)
            case Show(update):
                self._current = update
                await self._fan_out(update)
            case _:
                raise TypeError(f"an audience does not understand {message!r}")

    async def _shown(self) -> Update:
        if self._current is None:
            self._current = await self._board.ask(Watch(self._channel), within=self._within_s)
        return self._current

    async def _fan_out(self, update: Update) -> None:
        """In slices; nobody joins or leaves meanwhile, for this actor works on one message at a time."""
        for count, subscriber in enumerate(tuple(self._audience), 1):
            if not subscriber.offer(update):
                self._audience.discard(subscriber)
            if count % SLICE == 0:
                await trio.lowlevel.checkpoint()
