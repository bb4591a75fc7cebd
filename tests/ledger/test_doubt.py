from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import LedgerUnavailable, Receipt
from actors.ports import CommitUnknown, StoreFault, StoreUnavailable, TokenSpent
from tests.ledger.office import Office, running_office, write

LOST = CommitUnknown("lost")
AWAY = StoreUnavailable("away")


async def refused(office: Office, *args: object, **kwargs: object) -> None:
    """A commit that is answered with: ask again."""
    with pytest.raises(LedgerUnavailable, match="same Idempotency-Key"):
        await office.commit(write(*args, **kwargs))  # type: ignore[arg-type]


async def test_a_write_that_was_lost_before_it_was_done_is_done_later(autojump_clock: MockClock) -> None:
    """Nobody has to ask again, and its fact reaches the board and the log."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_before(LOST)
        await refused(office, "a", 1)
        assert office.totals == {"a": 0}
        await trio.sleep(1)
        assert {"a": 1} == office.totals == office.board.scores
        assert [fact.score for fact in office.published] == [1]


async def test_a_write_that_was_done_before_it_was_lost_counts_once(autojump_clock: MockClock) -> None:
    """It is asked again under the same operation id."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_after(LOST)
        await refused(office, "a", 1)
        assert office.totals == {"a": 1}
        await trio.sleep(1)
        assert {"a": 1} == office.totals == office.board.scores
        assert office.store.batches == [1, 1]


@pytest.mark.parametrize("done", [False, True])
async def test_a_retry_with_the_same_key_counts_once_and_hears_the_true_ranks(
    autojump_clock: MockClock, *, done: bool
) -> None:
    """Whether the lost write was done or not; the retry rides along with it and hears its move."""
    async with running_office() as office:
        office.add("a", "b", "c")
        await office.commit(write("a", 1))
        (office.store.faults.fail_after if done else office.store.faults.fail_before)(LOST)
        await refused(office, "c", 1, key="k")
        first = await office.receipt(write("c", 2, key="k", token="c-1"))
        again = await office.receipt(write("c", 3, key="k", token="c-1"))
        assert (first.previous_rank, first.new_rank) == (3, 2) == (again.previous_rank, again.new_rank)
        assert office.totals == {"a": 1, "b": 0, "c": 1}


async def test_a_retry_that_comes_after_the_doubt_was_resolved_hears_the_true_ranks(autojump_clock: MockClock) -> None:
    """The ledger keeps the ranks of a resolved write although nobody waits for its answer."""
    async with running_office() as office:
        office.add("a", "b", "c")
        office.store.faults.fail_before(LOST)
        await refused(office, "c", 1, key="k")
        await trio.sleep(5)
        again = await office.receipt(write("c", 2, key="k", token="c-1"))
        assert (again.previous_rank, again.new_rank, again.repeated) == (3, 1, True)


async def test_a_retry_that_comes_before_the_resolved_doubt_was_ranked_hears_the_true_ranks(
    autojump_clock: MockClock,
) -> None:
    """The doubt went with a round that stood back for the next one, which brings the retry."""
    async with running_office() as office:
        office.add("a", "b", "c")
        await office.receipt(write("a", 0))
        office.store.faults.fail_before(LOST)
        await refused(office, "c", 1, key="k")
        gate = office.store.faults.hold()
        office.committing_batch(write("b", 1))
        await wait_all_tasks_blocked()
        first = office.committing(write("c", 2, key="k", token="c-1"))
        await wait_all_tasks_blocked()
        gate.set()
        await trio.sleep(1)
        again = await office.receipt(write("c", 3, key="k", token="c-1"))
        assert [(3, 2)] * 2 == [(each.previous_rank, each.new_rank) for each in (first.result, again)]
        assert office.store.batches == [1, 2, 1, 1]  # the doubt beside the batch, and each retry


async def test_a_doubt_outlasts_a_store_that_is_away(autojump_clock: MockClock) -> None:
    """That nothing happened now does not say that nothing had happened before."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_before(LOST, AWAY, LOST, AWAY, AWAY)
        await refused(office, "a", 1)
        await trio.sleep(10)
        assert {"a": 1} == office.totals == office.board.scores
        assert repr(office.actors[-1]) == "<LedgerActor, 0 untold, 0 in doubt, <BoardLine, 0 unapplied>>"


async def test_a_doubt_that_is_rejected_the_second_time_is_read_by_the_board(autojump_clock: MockClock) -> None:
    """It is not tried again, and stands all the same; also if it was done last of all."""
    async with running_office(settle_s=5.0) as office:
        office.add("a")
        office.store.faults.fail_after(LOST)
        office.store.faults.fail_before(None, StoreFault("rejected"))
        await refused(office, "a", 1)
        await trio.sleep(1)
        assert {"a": 1} == office.totals == office.board.scores
        await office.store.commit([write("a", 2)], [])  # as by a transaction that was still under way
        await trio.sleep(5)
        assert {"a": 2} == office.totals == office.board.scores


async def test_doubts_are_retried_at_a_measured_pace(autojump_clock: MockClock) -> None:
    """Twice a second, not in a loop."""
    async with running_office(retry_s=0.5) as office:
        office.add("a")
        office.store.faults.fail_before(*[LOST] * 20)
        await refused(office, "a", 1)
        await trio.sleep(10.2)
        assert office.store.faults.calls == 21


async def test_the_ledger_begins_nothing_new_with_too_much_in_doubt(autojump_clock: MockClock) -> None:
    """What it would have to remember is bounded; who is turned away may ask again."""
    async with running_office(max_in_doubt=3, retry_s=1) as office:
        office.add("a")
        office.store.faults.fail_before(*[LOST] * 6)
        in_doubt = []
        for number in range(5):
            await refused(office, "a", number)
            await wait_all_tasks_blocked()
            in_doubt.append(len(office.actors[-1]._in_doubt))
        assert in_doubt == [1, 2, 3, 3, 3]
        await trio.sleep(10)
        assert office.totals == {"a": 3}
        assert isinstance(await office.commit(write("a", 9)), Receipt)


async def test_a_key_in_doubt_is_not_said_to_be_unknown(autojump_clock: MockClock) -> None:
    """Otherwise its owner would hear that the token has expired, and the score would count after all."""
    async with running_office() as office:
        office.add("a")
        wish = write("a", 1, key="k")
        office.store.faults.fail_before(LOST, LOST, None)
        await refused(office, "a", 1, key="k")
        with pytest.raises(LedgerUnavailable):
            await office.ledger.ask(office.recall(wish), within=5)
        await trio.sleep(1)
        found = await office.ledger.ask(office.recall(wish), within=5)
        assert isinstance(found, Receipt)


async def test_a_store_that_hangs_leaves_its_writes_in_doubt(autojump_clock: MockClock) -> None:
    """Every wait has a bound; the others go on when the store does."""
    async with running_office(store_within_s=3) as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = office.committing(write("a", 1))
        await trio.sleep(3.1)
        assert isinstance(asked.result, LedgerUnavailable)
        gate.set()
        await trio.sleep(1)
        assert {"a": 1} == office.totals == office.board.scores


async def test_one_write_that_the_store_rejects_costs_only_itself(autojump_clock: MockClock) -> None:
    """It is found by halving; the others of the batch are committed, and the fault is told."""
    async with running_office() as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        first = office.committing(write("b", 1, key="k"))
        await wait_all_tasks_blocked()
        poison = Poison(office, "a-3")
        asked = await office.committing_in_order(*(write("a", n) for n in range(8)))
        gate.set()
        await wait_all_tasks_blocked()
        kinds = [type(each.result) for each in asked]
        assert kinds == [Receipt] * 3 + [LedgerUnavailable] + [Receipt] * 4
        assert isinstance(first.result, Receipt)
        assert ({"a": 7, "b": 1}, [poison.fault]) == (office.totals, office.rejected)


class Poison:
    """Makes the store reject every call that holds a certain token, as Postgres would."""

    def __init__(self, office: Office, token: str) -> None:
        self.fault = StoreFault("not a value that Postgres can hold")
        plain = office.store._commit

        def commit(writes, answers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if any(each.token_hash == token.encode() for each in writes):
                raise self.fault
            return plain(writes, answers)

        office.store._commit = commit  # type: ignore[method-assign]


async def test_without_a_key_a_retry_hears_that_the_token_is_spent(autojump_clock: MockClock) -> None:
    """Nothing counts twice: that is all that can be promised to who names no key."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_after(LOST)
        await refused(office, "a", 1)
        assert await office.commit(write("a", 2, token="a-1")) == TokenSpent()
        assert office.totals == {"a": 1}
