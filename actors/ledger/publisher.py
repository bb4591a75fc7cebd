"""Carries facts that are on disk to Redis: the event log for other workers, the sorted set for other readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.ledger.messages import Publish
from actors.ports import ALL_TIME, BoardCache, EventLog, ScoreFact, StoreUnavailable
from actors.runtime import BatchActor, Request

#: More facts than this do not go into one entry of the log.
ENTRY = 1000


@dataclass(frozen=True, slots=True)
class PublisherWorld:
    """What the publisher needs from outside. `dropped` hears how many facts did not get through."""

    log: EventLog
    cache: BoardCache
    dropped: Callable[[int], None]


class PublisherActor(BatchActor):
    """Writes each batch in one go. What Redis does not take is dropped and counted: no score depends on it."""

    max_batch = 1000

    def __init__(self, world: PublisherWorld) -> None:
        self._world = world

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Join all that waits to few entries of the log, and as many writes of the cache."""
        facts: list[ScoreFact] = []
        for request in requests:
            if not isinstance(request.message, Publish):
                raise TypeError(f"a publisher does not understand {request.message!r}")
            facts.extend(request.message.facts)
        done = 0
        try:
            for start in range(0, len(facts), ENTRY):
                piece = facts[start : start + ENTRY]
                await self._world.log.append(piece)
                await self._world.cache.put(ALL_TIME, _latest(piece))
                done += len(piece)
        except StoreUnavailable:
            return
        finally:
            if done < len(facts):
                self._world.dropped(len(facts) - done)


def _latest(facts: Sequence[ScoreFact]) -> list[ScoreFact]:
    """The newest fact of each player; only the last total matters to the cache."""
    newest: dict[str, ScoreFact] = {}
    for fact in facts:
        known = newest.get(fact.user_id)
        if known is None or fact.version > known.version:
            newest[fact.user_id] = fact
    return list(newest.values())
