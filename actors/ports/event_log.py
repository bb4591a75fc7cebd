"""Committed facts on their way between workers; entries may be lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import ChainId


@dataclass(frozen=True, slots=True)
class LoggedFacts:
    """One entry of the event log. `position` orders entries and is opaque otherwise.

    `chain` is the worker that wrote it, None if the entry does not say. All facts of the `batches` of that chain, by
    their numbers, are in the entry; it may have facts of no batch beside them. `history` is that with which the
    store went on when they were committed, or one before it (see `Sight`); empty if the entry does not say.
    """

    position: str
    facts: tuple[ScoreFact, ...]
    chain: ChainId | None = None
    batches: tuple[int, ...] = ()
    history: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """Entries of other workers, and the position behind which to go on."""

    entries: tuple[LoggedFacts, ...]
    position: str


class EventLog(Protocol):
    """Carries committed facts between workers; bounded in length, may lose entries."""

    async def append(self, facts: Sequence[ScoreFact], batches: Sequence[int] = (), history: str = "") -> str:
        """Add one entry, with whole batches of this worker; returns its position. Raises StoreUnavailable."""
        ...

    async def end(self) -> str:
        """The position behind all that was added so far. Raises StoreUnavailable."""
        ...

    async def read(self, after: str, limit: int, within_s: float = 0.0) -> Heard:
        """What others have added behind a position, from up to `limit` entries, own ones counted.

        With nothing there it waits up to `within_s` for something. What was there and is not any more, because the log
        has lost it or is too long, is passed over without a word. Raises StoreUnavailable.
        """
        ...
