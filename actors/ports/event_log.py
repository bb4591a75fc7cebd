"""Committed facts on their way between workers; entries may be lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.ports.facts import ScoreFact


@dataclass(frozen=True, slots=True)
class LoggedFacts:
    """One entry of the event log. `position` orders entries and is opaque otherwise."""

    position: str
    facts: tuple[ScoreFact, ...]


class EventLog(Protocol):
    """Carries committed facts between workers; bounded in length, may lose entries."""

    async def append(self, facts: Sequence[ScoreFact]) -> str:
        """Add one entry; returns its position. Raises StoreUnavailable."""
        ...

    async def read(self, after: str | None, limit: int) -> list[LoggedFacts]:
        """Up to `limit` entries behind a position (None: from the oldest kept)."""
        ...
