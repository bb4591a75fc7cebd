"""What workers commit, as other workers read it: batches by their numbers, and players who look another way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.ports.facts import ScoreFact
from actors.ports.ids import ChainId, UserId


class Batch(NamedTuple):
    """What one worker committed at once. The batches of a chain are numbered from 1, in the order of their commits."""

    chain: ChainId
    number: int
    facts: tuple[ScoreFact, ...]


class Stretch(NamedTuple):
    """Batches of a chain: those behind `after`, up to `upto`."""

    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the work of others at one moment, `at_us` by the clock of the store.

    Attributes:
        newest: The number of the newest batch of each chain of which more can be seen than was known.
        changed: Players who are new, or have another name, country or picture, or were hidden or shown again; None
            among them if it was so many at once that all should be read.
        position: What can be seen now; opaque.
        history: The name of the history that the store goes on with; empty if it does not say. Where it is another one
            than before, commits that were seen may be lost, and their numbers and positions may come again.
    """

    at_us: int
    newest: Mapping[ChainId, int]
    changed: frozenset[UserId | None]
    position: str
    history: str = ""


class BatchStore(Protocol):
    """Batches and changes of players as they stand on disk. Those of this worker's own chain are left out.

    The batches of a chain become visible in the order of their numbers and without a gap, however late they are
    committed. A change is told with the first look that sees it, however late it was committed.
    """

    #: So many microseconds a change can be read after it was made.
    changes_kept_us: int

    async def look(self, known: Mapping[ChainId, int], position: str | None) -> Sight:
        """What is new since; with None nobody has changed. A chain that is not named is known up to 0.

        Raises StoreUnavailable.
        """
        ...

    async def read(self, wanted: Mapping[ChainId, Stretch], limit: int) -> list[Batch]:
        """The batches of these stretches, up to `limit` of each chain, in order. Raises StoreUnavailable."""
        ...

    async def totals(self, user_ids: Sequence[UserId]) -> list[ScoreFact]:
        """These players as they stand, in any order; who is unknown is left out. Raises StoreUnavailable."""
        ...
