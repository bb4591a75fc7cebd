"""A ledger that stops says of what is on disk that it is."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import LedgerUnavailable, Receipt
from actors.ports import Repeated, StoreUnavailable
from actors.runtime import ActorStopped
from tests.ledger.office import Asked, Office, running_office, write


async def set_later(gate: trio.Event) -> None:
    """When the ledger has been told to stop."""
    await trio.sleep(1)
    gate.set()


async def begun(office: Office) -> tuple[list[Asked], trio.Event]:
    """Three batches of two rows: the first is with the store until the event, the others wait for their turn."""
    gate = office.store.faults.hold()
    office.committing(write("a", 0))
    await wait_all_tasks_blocked()
    asked = []
    for number in (1, 3, 5):
        asked.append(office.committing_batch(write("a", number), write("a", number + 1)))
        await wait_all_tasks_blocked()
    last = office.store.faults.hold()
    gate.set()
    await wait_all_tasks_blocked()
    return asked, last


async def test_a_round_that_was_left_to_rank_is_ranked_and_told(autojump_clock: MockClock) -> None:
    """What was not begun is not: there nothing has happened."""
    async with running_office(round_rows=2) as office:
        office.add("a")
        asked, gate = await begun(office)
        office.nursery.start_soon(set_later, gate)
    assert [(2, (1, 1), False), (3, (1, 1), False)] == asked[0].result
    assert [ActorStopped] * 2 == [type(each.result) for each in asked[1:]]
    assert {"a": 3} == office.totals == office.board.scores
    assert 3 == len(office.published)


async def test_a_round_is_told_without_ranks_when_the_board_is_away(autojump_clock: MockClock) -> None:
    """Its ranks are not worth a sender's doubt."""
    async with running_office(round_rows=2) as office:
        office.add("a")
        asked, gate = await begun(office)
        office.board.gate = trio.Event()
        office.nursery.start_soon(set_later, gate)
        await wait_all_tasks_blocked()
    assert [(2, None, False), (3, None, False)] == asked[0].result


async def test_a_score_with_a_key_is_told_and_its_ranks_are_kept(autojump_clock: MockClock) -> None:
    """A retry at the next server hears the same."""
    async with running_office() as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        asked = office.committing(write("b", 1, key="k"))
        await wait_all_tasks_blocked()
        office.nursery.start_soon(set_later, gate)
    assert isinstance(asked.result, Receipt)
    assert (2, 1) == (asked.result.previous_rank, asked.result.new_rank)
    [again] = await office.store.commit([write("b", 2, key="k", token="b-1")])
    assert isinstance(again, Repeated)
    assert (2, 1) == (again.previous_rank, again.new_rank)


async def test_a_score_whose_ranks_cannot_be_kept_is_not_told(autojump_clock: MockClock) -> None:
    """Its sender is sent to ask again, and nobody waits for the store to come back."""
    async with running_office() as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = office.committing(write("a", 1, key="k"))
        await wait_all_tasks_blocked()
        office.store.faults.fail_before(None, StoreUnavailable("away"))
        office.nursery.start_soon(set_later, gate)
    assert isinstance(asked.result, LedgerUnavailable)
    assert asked.at is not None
    assert asked.at < 3
