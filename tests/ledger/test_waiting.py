"""Batches in their queue, by themselves; tests/ledger/test_batches.py has them with a ledger."""

from __future__ import annotations

import math

from trio.testing import MockClock

from actors.ledger.messages import CommitMany, LedgerUnavailable
from actors.ledger.waiting import BUSY, UNCONFIRMED, WaitingBatches
from actors.runtime import Promise
from tests.ledger.office import told, write

PLENTY = 1000


def batch(rows: int, *, deadline: float = math.inf) -> Promise[list[object]]:
    """Of so many rows, with somebody who waits for it."""
    writes = tuple(write("a", number) for number in range(rows))
    return Promise(CommitMany(writes, told), deadline, lambda _: None)


def queue(bound: int, *batches: Promise[list[object]]) -> WaitingBatches:
    """With these in it."""
    waiting = WaitingBatches(bound)
    for each in batches:
        waiting.put(each)
    return waiting


async def test_a_batch_that_is_refused_does_not_wait() -> None:
    """It has been told that nothing was done; one that still fits is taken, up to the bound and no further."""
    first, refused, fits, one_more = batch(3), batch(2), batch(1), batch(1)
    waiting = queue(4, first, refused, fits, one_more)
    assert [True, False, True, False] == [each.open for each in (first, refused, fits, one_more)]
    assert isinstance(refused.outcome, LedgerUnavailable)
    assert BUSY == str(refused.outcome)
    assert (2, "<WaitingBatches 2, 4 rows>") == (len(waiting), repr(waiting))
    assert [first, fits] == waiting.share(PLENTY, PLENTY)


async def test_a_share_is_as_many_whole_batches_as_fit_exactly() -> None:
    """In their order; what was taken makes room for others."""
    batches = [batch(2), batch(3), batch(1), batch(4)]
    waiting = queue(10, *batches)
    assert batches[:2] == waiting.share(5, PLENTY)
    last = batch(5)
    waiting.put(last)
    assert batches[2:] == waiting.share(9, PLENTY)
    assert [last] == waiting.share(1, PLENTY)
    assert [] == waiting.share(1, PLENTY)
    assert "<WaitingBatches 0, 0 rows>" == repr(waiting)


async def test_a_batch_for_which_there_is_no_room_is_refused_and_the_next_that_fits_is_taken() -> None:
    """Room counts for all of a share together, to the last row."""
    first, too_large, fits, one_more = batch(2), batch(3), batch(2), batch(1)
    waiting = queue(PLENTY, first, too_large, fits, one_more)
    assert [first, fits] == waiting.share(PLENTY, 4)
    for each in (too_large, one_more):
        assert isinstance(each.outcome, LedgerUnavailable)
        assert UNCONFIRMED == str(each.outcome)
    assert "<WaitingBatches 0, 0 rows>" == repr(waiting)


async def test_whoever_has_gone_takes_nothing_of_a_share(autojump_clock: MockClock) -> None:
    """Nor does whose time is over."""
    gone, late, there = batch(5), batch(5, deadline=0), batch(5)
    waiting = queue(PLENTY, gone, late, there)
    gone.withdraw()
    assert [there] == waiting.share(5, 5)
    assert "<WaitingBatches 0, 0 rows>" == repr(waiting)
