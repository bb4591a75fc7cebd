"""Hears what workers announce: soon by a bell that all may ring, otherwise by a look every few seconds.

The announcements themselves are read where they were made durable, so what the bell says need not be believed, and a
bell that is away costs only time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import trio

from actors.announcements.messages import Announce, Listening
from actors.ports import AnnouncementStore, Bell, News, StoreError
from actors.runtime import BatchActor, Request


@dataclass(frozen=True, slots=True)
class AnnouncementsWorld:
    """What it needs from outside.

    Attributes:
        heard: Who hears of each kind, told whom it is about; more than once, perhaps. Others are passed over.
        keep_s: At its start it reads what is not older.
        listen_every_s: So often it listens for the bell.
        look_every_s: So often it looks without having heard it.
        missed: Hears why a look did not succeed; the next one reads what this one would have.
        history: Names the one that the store goes on with. In another one all that matters is read again: numbers and
            positions of before may come again.
    """

    store: AnnouncementStore
    bell: Bell
    heard: Mapping[str, Callable[[str], None]]
    keep_s: float
    listen_every_s: float = 0.5
    look_every_s: float = 10.0
    bell_within_s: float = 1.0
    store_within_s: float = 10.0
    missed: Callable[[Exception], None] = lambda _: None
    history: Callable[[], str] = lambda: ""


class AnnouncementsActor(BatchActor):
    """Tells this worker what was announced, once it can be read; begins anew after a crash with all that matters."""

    def __init__(self, world: AnnouncementsWorld) -> None:
        self._world = world
        self._position = 0
        self._known: frozenset[int] = frozenset()  # of the last look: what may come again with the next one
        self._history = world.history()  # that of the position
        self._last_heard: object = None
        self._look_at = -math.inf

    def __repr__(self) -> str:
        return f"<AnnouncementsActor at {self._position}>"

    async def started(self) -> None:
        """Read all that matters."""
        with trio.fail_after(self._world.store_within_s):
            self._hear(await self._world.store.since(self._world.keep_s))
        self._rest()

    async def _news(self) -> News:
        history = self._world.history()
        if history == self._history:
            return await self._world.store.after(self._position)
        news = await self._world.store.since(self._world.keep_s)
        self._history, self._known = history, frozenset()
        return news

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Look once for all of them, and ring once."""
        for request in requests:
            if not isinstance(request.message, Announce | Listening):
                raise TypeError(f"the listener does not understand {request.message!r}")
        if any(isinstance(request.message, Announce) for request in requests):
            await self._look()
            await self._ring()
        for request in requests:
            request.answer(None)
        self._rest()

    async def woken(self) -> None:
        """Look if somebody has rung, or if it is time to."""
        if await self._has_rung() or self._is_time():
            await self._look()
        self._rest()

    def _is_time(self) -> bool:
        return trio.current_time() >= self._look_at or self._history != self._world.history()

    def _rest(self) -> None:
        self.wake_at = trio.current_time() + self._world.listen_every_s

    async def _has_rung(self) -> bool:
        with trio.move_on_after(self._world.bell_within_s):
            try:
                heard = await self._world.bell.heard()
            except StoreError:
                return False
            changed, self._last_heard = heard != self._last_heard, heard
            return changed
        return False

    async def _ring(self) -> None:
        with trio.move_on_after(self._world.bell_within_s):
            try:
                await self._world.bell.ring()
            except StoreError:
                return  # the others look by themselves

    async def _look(self) -> None:
        self._look_at = trio.current_time() + self._world.look_every_s
        try:
            with trio.fail_after(self._world.store_within_s):
                news = await self._news()
        except (StoreError, trio.TooSlowError) as error:
            self._look_at = trio.current_time() + self._world.listen_every_s  # it may have been rung for
            self._world.missed(error)
            return
        self._hear(news)

    def _hear(self, news: News) -> None:
        self._look_at = trio.current_time() + self._world.look_every_s
        for each in news.announcements:
            told = self._world.heard.get(each.kind)
            if told is not None and each.id not in self._known:
                told(each.about)
        self._known = frozenset(each.id for each in news.announcements)
        self._position = news.position
