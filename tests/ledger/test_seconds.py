"""Two workers are asked with the same key: the one ledger is at work here, the other writes beside it to the store."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.ledger.messages import LedgerUnavailable, Receipt
from actors.ledger.seconds import FIRST_S, SECOND_S
from actors.ports import AnswerRecord, CommitUnknown, StoreUnavailable, UserId
from tests.ledger.office import Office, running_office, write


def elsewhere(office: Office) -> None:
    """Another worker commits the first; its ranks are to come."""
    office.store._commit([write("a", 1, key="k", token="a-1")], [])


def answer_elsewhere(office: Office) -> None:
    """It keeps its ranks."""
    office.store._commit([], [AnswerRecord(UserId("a"), "k", 9, 7)])


async def test_who_comes_second_hears_the_first_answer_of_another_worker(autojump_clock: MockClock) -> None:
    """Ranks as they are told there; not those of this worker's board."""
    async with running_office() as office:
        office.add("a", "b")
        elsewhere(office)
        asked = office.committing(write("a", 2, key="k", token="a-1"))
        recalled = office.asking(office.recall(write("a", 3, key="k", token="a-1")))
        await trio.sleep(1)
        assert (None, None) == (asked.at, recalled.at)
        answer_elsewhere(office)
        await trio.sleep(0.5)
        for receipt in (asked.result, recalled.result):
            assert isinstance(receipt, Receipt)
            assert (receipt.previous_rank, receipt.new_rank, receipt.repeated) == (9, 7, True)


async def test_where_no_first_answer_comes_the_second_is_kept_as_the_first(autojump_clock: MockClock) -> None:
    """That worker has died: whoever asks later hears the same, of any worker."""
    async with running_office() as office:
        office.add("a", "b")
        elsewhere(office)
        receipt = await office.receipt(write("a", 2, key="k", token="a-1"))
        assert trio.current_time() == pytest.approx(SECOND_S, abs=0.5)
        assert (receipt.previous_rank, receipt.new_rank) == (1, 1)
        answer_elsewhere(office)
        again = await office.receipt(write("a", 3, key="k", token="a-1"))
        assert (again.previous_rank, again.new_rank) == (1, 1)


async def test_a_first_answer_that_took_long_is_told_as_it_was_kept(autojump_clock: MockClock) -> None:
    """Another worker may have taken over, for it could not know that this one lives."""
    async with running_office() as office:
        office.add("a", "b")
        office.store.faults.delay_s = FIRST_S * 0.6
        asked = office.committing(write("a", 1, key="k", token="a-1"))
        await trio.sleep(FIRST_S)  # committed, and its ranks on their way
        answer_elsewhere(office)
        await trio.sleep(20)
        assert isinstance(asked.result, Receipt)
        assert (asked.result.previous_rank, asked.result.new_rank, asked.result.repeated) == (9, 7, False)


async def test_a_lost_write_that_stands_is_told_as_it_was_kept(autojump_clock: MockClock) -> None:
    """Its retry hears what another worker may have answered meanwhile."""
    async with running_office() as office:
        office.add("a", "b")
        office.store.faults.fail_after(CommitUnknown("lost"))
        with pytest.raises(LedgerUnavailable):
            await office.commit(write("a", 1, key="k", token="a-1"))
        asked = office.committing(write("a", 2, key="k", token="a-1"))
        await trio.sleep(1)
        assert isinstance(asked.result, Receipt)
        assert (asked.result.previous_rank, asked.result.new_rank) == (1, 1)


async def test_a_lost_write_whose_key_another_worker_took_is_not_told_as_the_first(autojump_clock: MockClock) -> None:
    """It never stood, though one with its key does: the retry waits for the ranks that are told there."""
    async with running_office() as office:
        office.add("a", "b")
        office.store.faults.fail_before(CommitUnknown("lost"))
        with pytest.raises(LedgerUnavailable):
            await office.commit(write("a", 1, key="k", token="a-1"))
        office.store._commit([write("a", 2, key="k", token="a-1")], [])
        asked = office.committing(write("a", 3, key="k", token="a-1"))
        await trio.sleep(1)
        assert asked.at is None
        answer_elsewhere(office)
        await trio.sleep(0.5)
        assert isinstance(asked.result, Receipt)
        assert (asked.result.previous_rank, asked.result.new_rank) == (9, 7)


async def test_who_comes_second_while_the_store_is_away_is_to_ask_again(autojump_clock: MockClock) -> None:
    """Nobody waits for longer than one look."""
    async with running_office() as office:
        office.add("a")
        elsewhere(office)
        asked = office.committing(write("a", 2, key="k", token="a-1"))
        await trio.sleep(0.1)
        office.store.faults.fail_before(StoreUnavailable("away"))
        await trio.sleep(0.5)
        assert isinstance(asked.result, LedgerUnavailable)
