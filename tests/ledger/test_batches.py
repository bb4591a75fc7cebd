from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import CommitMany, LedgerUnavailable, Receipt
from actors.ports import BannedUser, CommitUnknown, ScoreWrite, StoreFault, StoreUnavailable, TokenSpent, UnknownUser
from actors.runtime import ActorCrashed, AskTimeout
from tests.ledger.office import Office, running_office, told, write

QUIET = "<LedgerActor, 0 untold, 0 in doubt, <BoardLine, 0 unapplied>>"


def rows(name: str, start: int, count: int) -> list[ScoreWrite]:
    """So many points of one player."""
    return [write(name, number) for number in range(start, start + count)]


async def test_a_batch_is_one_transaction_and_one_answer(autojump_clock: MockClock) -> None:
    """A result for each row in the order given, with the ranks before and after of each."""
    async with running_office() as office:
        office.add("a", "b", "banned")
        office.player("banned").banned = True
        await office.commit(write("b", 0))
        again = write("b", 9, token="b-0")
        asked = office.committing_batch(
            write("a", 1), write("banned", 1), write("a", 2), write("nobody", 1), again, write("b", 3)
        )
        await wait_all_tasks_blocked()
        refused = [BannedUser, UnknownUser, TokenSpent]
        first, second, last = (1, (2, 2), False), (2, (2, 1), False), (2, (2, 2), False)
        assert [first, refused[0], second, refused[1], refused[2], last] == asked.result
        assert [1, 6] == office.store.batches


async def test_batches_that_wait_share_a_transaction_up_to_a_bound(autojump_clock: MockClock) -> None:
    """Whole ones, in their order; one that is larger than the bound goes alone."""
    async with running_office(round_rows=10) as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = []
        for start, count in ((0, 1), (10, 4), (20, 5), (30, 2), (40, 12), (60, 3)):
            asked.append(office.committing_batch(*rows("a", start, count)))
            await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert [1, 9, 2, 12, 3] == office.store.batches == office.done
        assert [1, 4, 5, 2, 12, 3] == [len(each.result) for each in asked]
        assert {"a": 27} == office.totals == office.board.scores
        assert 27 == sum(office.counted)


async def test_batches_that_share_a_transaction_each_hear_of_their_own_rows(autojump_clock: MockClock) -> None:
    """Also beside single scores, which stand in front of them."""
    async with running_office() as office:
        office.add("a", "b", "c")
        gate = office.store.faults.hold()
        office.committing(write("a", 0))
        await wait_all_tasks_blocked()
        batches = []
        for name, count in (("b", 2), ("c", 1), ("a", 1)):
            batches.append(office.committing_batch(*rows(name, 1, count)))
            await wait_all_tasks_blocked()
        single = office.committing(write("c", 0))
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert [1, 5] == office.store.batches
        assert [[1, 2], [2], [2]] == [[score for score, *_ in each.result] for each in batches]
        assert 1 == single.result.fact.score


async def test_a_single_score_passes_by_a_flood_of_batches(autojump_clock: MockClock) -> None:
    """It waits for the transaction under way and its own, whatever stands in front of it."""
    async with running_office(round_rows=10) as office:
        office.add("a", "b")
        office.store.faults.delay_s = 1
        flood = [office.committing_batch(*rows("a", 10 * n, 10)) for n in range(20)]
        await trio.sleep(0.5)
        single = office.committing(write("b", 1))
        await trio.sleep(25)
        assert isinstance(single.result, Receipt)
        assert single.at is not None
        assert single.at <= 3.01
        assert 20 == sum(each.at is not None for each in flood)
        assert 11 in office.store.batches


async def test_the_store_writes_while_the_board_ranks_the_round_before(autojump_clock: MockClock) -> None:
    """Nobody is answered before both are done."""
    async with running_office(round_rows=2, board_within_s=10) as office:
        office.add("a")
        store_gate = office.store.faults.hold()
        asked = [office.committing_batch(*rows("a", 2 * n, 2)) for n in range(3)]
        await wait_all_tasks_blocked()
        office.board.gate = trio.Event()
        store_gate.set()
        await wait_all_tasks_blocked()
        assert [2, 2] == office.store.batches
        assert [None] * 3 == [each.at for each in asked]
        office.board.gate.set()
        await wait_all_tasks_blocked()
        assert [2, 2, 2] == office.store.batches
        answers = [row for each in asked for row in each.result]
        assert {(score, (1, 1), False) for score in range(1, 7)} == set(answers)


async def test_a_known_row_hears_its_first_total_and_does_not_reach_the_board(autojump_clock: MockClock) -> None:
    """It may be very old: its player, banned since, would stand on the board again."""
    async with running_office() as office:
        office.add("a")
        asked = office.committing_batch(write("a", 1))
        await wait_all_tasks_blocked()
        await office.commit(write("a", 2))
        office.player("a").banned = True
        seen = len(office.board.batches)
        again = office.committing_batch(write("a", 1))
        await wait_all_tasks_blocked()
        assert ([(1, (1, 1), False)], [(1, None, True)]) == (asked.result, again.result)
        assert seen == len(office.board.batches)
        assert 2 == sum(office.counted)


async def test_rows_in_doubt_count_once_however_often_they_are_sent_again(autojump_clock: MockClock) -> None:
    """The ledger remembers each once; the retry hears what they led to."""
    for lost_after in (True, False):
        async with running_office() as office:
            office.add("a")
            fail = office.store.faults.fail_after if lost_after else office.store.faults.fail_before
            fail(*[CommitUnknown("lost")] * 3)
            for _ in range(3):
                asked = office.committing_batch(*rows("a", 0, 5))
                await wait_all_tasks_blocked()
                assert isinstance(asked.result, LedgerUnavailable)
                assert 5 == len(office.actors[-1]._in_doubt)
            last = office.committing_batch(*rows("a", 0, 5))
            await trio.sleep(2)
            assert [(score, (1, 1), True) for score in range(1, 6)] == last.result
            assert (5, {"a": 5}, 5) == (office.totals["a"], office.board.scores, sum(office.counted))
            assert QUIET == repr(office.actors[-1])


async def test_with_too_much_in_doubt_a_batch_is_refused(autojump_clock: MockClock) -> None:
    """What the ledger must remember is bounded."""
    async with running_office(max_in_doubt=7) as office:
        office.add("a")
        office.store.faults.fail_before(*[CommitUnknown("lost")] * 2)
        for start in (0, 10):
            asked = office.committing_batch(*rows("a", start, 5))
            await wait_all_tasks_blocked()
            assert isinstance(asked.result, LedgerUnavailable)
            assert 5 == len(office.actors[-1]._in_doubt)
        await trio.sleep(2)
        assert {"a": 5} == office.totals


async def test_a_batch_has_the_room_that_single_scores_leave_it(autojump_clock: MockClock) -> None:
    """They all may be in doubt together, and the bound is for all."""
    async with running_office(max_in_doubt=3) as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        office.committing(write("a", 0))
        await wait_all_tasks_blocked()
        single, fits = office.committing(write("b", 0)), office.committing_batch(*rows("a", 1, 2))
        await wait_all_tasks_blocked()
        one_more = office.committing_batch(*rows("b", 1, 1))
        await wait_all_tasks_blocked()
        office.store.faults.fail_before(None, CommitUnknown("lost"))
        gate.set()
        await wait_all_tasks_blocked()
        assert [LedgerUnavailable] * 3 == [type(each.result) for each in (single, fits, one_more)]
        assert [("a", 1), ("a", 1), ("b", 1)] == sorted(
            (write.user_id, write.points) for write in office.actors[-1]._in_doubt.values()
        )
        await trio.sleep(2)
        assert {"a": 3, "b": 1} == office.totals


async def test_a_store_that_is_away_refuses_the_batch(autojump_clock: MockClock) -> None:
    """As a whole: nothing happened."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_before(StoreUnavailable("away"))
        asked = office.committing_batch(*rows("a", 0, 3))
        await wait_all_tasks_blocked()
        assert isinstance(asked.result, LedgerUnavailable)
        assert ({"a": 0}, 0) == (office.totals, sum(office.counted))


async def test_a_row_that_the_store_rejects_costs_only_itself(autojump_clock: MockClock) -> None:
    """It is told in its place, and to the operator."""
    async with running_office() as office:
        office.add("a")
        plain, fault = office.store._commit, StoreFault("no")

        def commit(writes, answers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if any(each.token_hash == b"a-2" for each in writes):
                raise fault
            return plain(writes, answers)

        office.store._commit = commit  # type: ignore[method-assign]
        asked = office.committing_batch(*rows("a", 0, 4))
        await wait_all_tasks_blocked()
        assert [tuple, tuple, type, tuple] == [type(row) for row in asked.result]
        assert (StoreFault, [fault], {"a": 3}) == (asked.result[2], office.rejected, office.totals)


async def test_too_many_waiting_rows_are_refused_and_what_waits_is_served(autojump_clock: MockClock) -> None:
    """A bounded queue: who is turned away is told so at once."""
    async with running_office(round_rows=2, max_waiting_rows=4) as office:
        office.add("a")
        gate = office.store.faults.hold()
        first = office.committing_batch(*rows("a", 0, 2))
        await wait_all_tasks_blocked()
        more = [office.committing_batch(*rows("a", 10 * n, 2)) for n in (1, 2, 3)]
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert 2 == len(first.result)
        kinds = sorted(type(each.result).__name__ for each in more)
        assert ["LedgerUnavailable", "list", "list"] == kinds


async def test_a_batch_that_nobody_waits_for_any_more_is_not_begun(autojump_clock: MockClock) -> None:
    """Whoever sent it has been told to ask again."""
    async with running_office(round_rows=1, store_within_s=60) as office:
        office.add("a")
        office.store.faults.delay_s = 2
        asked = [office.committing_batch(write("a", n), within=3) for n in range(3)]
        await trio.sleep(10)
        assert 2 == sum(isinstance(each.result, AskTimeout) for each in asked)
        assert {"a": 2} == office.totals  # one of the two was under way when its asker left


async def test_a_crash_between_commit_and_ranks_releases_everybody_and_the_board_reads_on(
    autojump_clock: MockClock,
) -> None:
    """Two rounds are under way then: one at the store, one at the board."""
    async with running_office(round_rows=2) as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = [office.committing_batch(*rows("a", 2 * n, 2)) for n in range(3)]
        await wait_all_tasks_blocked()
        office.store.faults.fail_before(None, ZeroDivisionError())
        office.board.gate = trio.Event()
        gate.set()
        await wait_all_tasks_blocked()
        assert [ActorCrashed] * 3 == [type(each.result) for each in asked]
        office.board.gate.set()
        await trio.sleep(1)
        assert {"a": 2} == office.totals == office.board.scores


async def test_what_was_left_to_rank_is_ranked_although_nothing_more_comes(autojump_clock: MockClock) -> None:
    """The message that it was left for has no asker any more."""
    async with running_office(round_rows=2, store_within_s=60) as office:
        office.add("a")
        office.store.faults.delay_s = 2
        first = office.committing_batch(*rows("a", 0, 2))
        await trio.sleep(0.1)
        gone = office.committing_batch(*rows("a", 2, 2), within=1)
        await trio.sleep(5)
        assert isinstance(gone.result, AskTimeout)
        assert [(1, (1, 1), False), (2, (1, 1), False)] == first.result
        assert {"a": 2} == office.totals == office.board.scores


async def test_a_batch_that_is_told_is_committed_too(autojump_clock: MockClock) -> None:
    """Without anybody to answer."""
    async with running_office() as office:
        office.add("a")
        office.ledger.tell(CommitMany(tuple(rows("a", 0, 3)), told))
        await settled(office)
        assert {"a": 3} == office.totals


async def settled(office: Office) -> None:
    """Until nothing more happens by itself."""
    await trio.sleep(1)
    assert QUIET == repr(office.actors[-1])


async def test_a_key_that_comes_again_while_its_round_is_not_ranked_yet_hears_the_same(
    autojump_clock: MockClock,
) -> None:
    """Its round stood back for the next one, which brings the retry: the ranks are those of the first time."""
    async with running_office() as office:
        office.add("a", "b", "c")
        await office.receipt(write("a", 0))
        gate = office.store.faults.hold()
        office.committing(write("a", 1))
        await wait_all_tasks_blocked()
        batch = office.committing_batch(write("b", 1))
        first = office.committing(write("c", 1, key="k"))
        await wait_all_tasks_blocked()
        second_gate = office.store.faults.hold()
        gate.set()
        await wait_all_tasks_blocked()
        again = office.committing(write("c", 2, key="k", token="c-1"))
        await wait_all_tasks_blocked()
        second_gate.set()
        await trio.sleep(1)
        ranks = [(each.result.previous_rank, each.result.new_rank) for each in (first, again)]
        assert (ranks, batch.result) == ([(3, 2), (3, 2)], [(1, (3, 3), False)])
        assert [first.result.repeated, again.result.repeated] == [False, True]
