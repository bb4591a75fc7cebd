"""What the ledger needs from outside."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from actors.ledger.board_line import OtherBoards
from actors.ledger.history import History
from actors.ports import ScoreStore, StoreFault
from actors.runtime import Ref


def _ignore(_news: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class LedgerWorld:
    """Handed to all incarnations of the ledger. `board` tells how ranks move, `others` only hear of it.

    `batch_done` hears the size and the seconds of each commit, `scored` how many scores count since then (a retry does
    not), `rejected` what the store calls a mistake of ours. Rows of batches: `round_rows` at most go into one
    transaction beside single scores (or one batch that is larger), `max_waiting_rows` wait.
    `history` is the one that the store goes on with.
    A crashed life may have left a transaction under way; after `settle_s` it has ended one way or the other.
    """

    store: ScoreStore
    board: Ref
    others: OtherBoards
    publisher: Ref
    batch_done: Callable[[int, float], None]
    board_within_s: float = 1.0
    answer_delay_s: float = 0.0005
    retry_s: float = 0.5
    store_within_s: float = 20.0
    settle_s: float = 10.0
    max_in_doubt: int = 5_000
    max_unapplied: int = 100_000
    round_rows: int = 1_000
    max_waiting_rows: int = 50_000
    scored: Callable[[int], None] = _ignore
    rejected: Callable[[StoreFault], None] = _ignore
    history: History = field(default_factory=History)
    lives: Iterator[int] = field(default_factory=itertools.count)
