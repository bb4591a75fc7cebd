"""Carries facts that are on disk to Redis: the event log for other workers, the sorted sets for other readers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import trio

from actors.ledger.messages import Copy, Publish
from actors.ports import ALL_TIME, BoardCache, BoardPart, EventLog, ScoreFact, StoreUnavailable, UserId
from actors.runtime import BatchActor, Request

#: An entry of the log that has so many facts gets no more. What was published at once stays together, so that an entry
#: has whole batches: then who misses an entry misses their numbers too.
ENTRY = 1000


@dataclass(frozen=True, slots=True)
class PublisherWorld:
    """What the publisher needs from outside. `dropped` hears how many facts did not get through.

    Two writes are `breath_s` seconds apart, unless a whole entry of the log waits: boards are shown once a second, and
    a call to Redis costs this process as much as some hundred facts in it. Who is hidden it is told again after
    `retry_s`, if it could not hear.
    """

    log: EventLog
    cache: BoardCache
    dropped: Callable[[int], None]
    breath_s: float = 0.05
    retry_s: float = 5.0


class PublisherActor(BatchActor):
    """Writes each batch in one go. What Redis does not take is dropped and counted: no score depends on it."""

    max_batch = 1000

    def __init__(self, world: PublisherWorld) -> None:
        self._world = world
        self._waiting: list[Publish] = []
        self._facts = 0  # in all that waits
        self._hiding: dict[UserId, ScoreFact] = {}  # of those who are hidden, which Redis has not taken yet
        self._next_write = -math.inf

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Put it to what waits, and write that when it is time, or as soon as it is a whole entry."""
        for request in requests:
            match request.message:
                case Publish(facts):
                    self._waiting.append(request.message)
                    self._facts += len(facts)
                case Copy(part):
                    await self._copy(part)
                case _:
                    raise TypeError(f"a publisher does not understand {request.message!r}")
        if self._facts >= ENTRY:
            await self._write()
        else:
            self.wake_at = self._next_write  # which may be over

    async def _copy(self, part: BoardPart) -> None:
        try:
            await self._world.cache.show(part)
        except StoreUnavailable:
            self._world.dropped(len(part.scores) + len(part.gone))

    async def woken(self) -> None:
        """It is time."""
        await self._write()

    async def stopped(self) -> None:
        """Nothing stays behind."""
        await self._write()

    async def _write(self) -> None:
        """Join all that waits to few entries of the log, and as many writes of the cache.

        Who is hidden must not stay in the cache, so that is not dropped but said there again with the next. The log
        does not hear it again: others have read it by then, and so late it may be of what the store has lost.
        """
        waiting, self._waiting, self._facts = self._waiting, [], 0
        entries, again, done = _entries(waiting), list(self._hiding.values()), 0
        try:
            if again:
                await self._world.cache.put(ALL_TIME, again)
                self._hiding.clear()
            for entry in entries:
                await self._world.log.append(entry.facts, entry.batches, entry.history)
                await self._world.cache.put(ALL_TIME, _latest(entry.facts), entry.spent)
                done += 1
        except StoreUnavailable:
            return
        finally:
            self._next_write = trio.current_time() + self._world.breath_s
            if lost := [fact for entry in entries[done:] for fact in entry.facts]:
                self._world.dropped(len(lost))
                self._keep_hiding(lost)

    def _keep_hiding(self, facts: Sequence[ScoreFact]) -> None:
        for fact in _latest(facts):
            if fact.hidden and len(self._hiding) < ENTRY:
                self._hiding[fact.user_id] = fact
        if self._hiding:
            self.wake_at = trio.current_time() + self._world.retry_s


def _entries(waiting: Sequence[Publish]) -> list[Publish]:
    """All of it in as few entries as possible, in order, none of them taken apart; each of one history."""
    entries: list[Publish] = []
    first = size = 0
    for at, each in enumerate(waiting, 1):
        size += len(each.facts)
        if size >= ENTRY or at == len(waiting) or waiting[at].history != each.history:
            entries.append(_joined(waiting[first:at]))
            first, size = at, 0
    return entries


def _joined(parts: Sequence[Publish]) -> Publish:
    facts, spent, batches = (
        tuple(chain.from_iterable(column))
        for column in zip(*((each.facts, each.spent, each.batches) for each in parts), strict=True)
    )
    return Publish(facts, spent, batches, parts[0].history)


def _latest(facts: Sequence[ScoreFact]) -> list[ScoreFact]:
    """The newest fact of each player; only the last total matters to the cache."""
    newest: dict[str, ScoreFact] = {}
    for fact in facts:
        known = newest.get(fact.user_id)
        if known is None or fact.version > known.version:
            newest[fact.user_id] = fact
    return list(newest.values())
