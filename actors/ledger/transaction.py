"""One call to the store's commit, with every way in which it can end turned into results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from actors.ledger.messages import Result
from actors.ports import (
    AnswerRecord,
    CommitOutcome,
    CommitUnknown,
    ScoreStore,
    ScoreWrite,
    StoreError,
    StoreFault,
    StoreUnavailable,
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of each write, in order, and of the answers (None: they are kept)."""

    results: list[Result]
    answers: StoreError | None


async def transact(
    store: ScoreStore, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord], *, within_s: float
) -> Settled:
    """Commit everything in one transaction; if the store rejects the call, cut it in pieces to find what it rejects.

    One thing that the store cannot take (a mistake of ours) thus costs only itself. A store that does not come back in
    `within_s` seconds leaves the writes in doubt. Never raises a StoreError.
    """
    try:
        return Settled(list(await _commit(store, writes, answers, within_s)), None)
    except (StoreUnavailable, CommitUnknown) as error:
        return Settled([error] * len(writes), error)
    except StoreFault as fault:
        if len(writes) + bool(answers) <= 1:
            return Settled([fault] * len(writes), fault if answers else None)
    if answers:
        kept = await transact(store, (), answers, within_s=within_s)
        rest = await transact(store, writes, (), within_s=within_s)
        return Settled(rest.results, kept.answers)
    middle = len(writes) // 2
    first = await transact(store, writes[:middle], (), within_s=within_s)
    second = await transact(store, writes[middle:], (), within_s=within_s)
    return Settled(first.results + second.results, None)


async def _commit(
    store: ScoreStore, writes: Sequence[ScoreWrite], answers: Sequence[AnswerRecord], within_s: float
) -> list[CommitOutcome]:
    with trio.move_on_after(within_s):
        return await store.commit(writes, answers)
    raise CommitUnknown(f"the store did not answer within {within_s:g} s")
