from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.history import SETTLE_S, History
from actors.ledger.messages import LedgerUnavailable, Receipt, TellBoards
from actors.ports import BannedUser, KeyConflict, OperationId, StoreUnavailable, TokenSpent, UnknownUser
from actors.runtime import ActorCrashed
from tests.ledger.office import running_office, write


async def test_everything_that_waits_becomes_one_commit(autojump_clock: MockClock) -> None:
    """While one commit is under way the others gather, and then go together."""
    async with running_office() as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        first = office.committing(write("a", 0))
        await wait_all_tasks_blocked()
        rest = [office.committing(write("ab"[n % 2], n)) for n in range(1, 41)]
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert office.store.batches == [1, 40]
        assert office.done == [1, 40]
        assert all(isinstance(each.result, Receipt) for each in [first, *rest])
        assert {"a": 21, "b": 20} == office.totals == office.board.scores


async def test_an_answer_comes_only_after_the_commit(autojump_clock: MockClock) -> None:
    """What is answered is on disk."""
    async with running_office() as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = office.committing(write("a", 1))
        await wait_all_tasks_blocked()
        assert (asked.at, office.store.ledger) == (None, [])
        gate.set()
        await wait_all_tasks_blocked()
        assert isinstance(asked.result, Receipt)
        assert len(office.store.ledger) == 1


async def test_a_spent_token_is_shown_to_who_looks_into_the_cache(autojump_clock: MockClock) -> None:
    """Once it is on disk, and not when it had been spent before."""
    async with running_office() as office:
        office.add("a")
        one = write("a", 1)
        await office.receipt(one)
        assert isinstance(await office.commit(one._replace(operation_id=OperationId("another"))), TokenSpent)
        await wait_all_tasks_blocked()
        assert [one.token_hash] == [token.name for token in office.spent]


async def test_while_more_waits_the_store_works_on_it_and_the_board_on_what_is_committed(
    autojump_clock: MockClock,
) -> None:
    """Neither of the two stands still for the other; each is told its own ranks, in order."""
    async with running_office() as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        asked = await office.committing_in_order(write("a", 1), write("b", 1))
        office.board.gate = trio.Event()
        gate.set()
        await wait_all_tasks_blocked()
        assert (office.store.batches, asked[0].at) == ([1, 1], None)
        office.board.gate.set()
        await wait_all_tasks_blocked()
        assert [each.result.new_rank for each in asked] == [1, 2]


async def test_a_receipt_tells_the_ranks_before_and_after(autojump_clock: MockClock) -> None:
    """For each of several writes of one player in one batch, its own."""
    async with running_office() as office:
        office.add("a", "b", "c")
        gate = office.store.faults.hold()
        asked = await office.committing_in_order(*(write(name, n) for n, name in enumerate("acbb")))
        gate.set()
        await wait_all_tasks_blocked()
        ranks = [(each.result.fact.score, each.result.previous_rank, each.result.new_rank) for each in asked]
        assert ranks == [(1, 1, 1), (1, 3, 2), (1, 3, 3), (2, 3, 1)]


async def test_a_keyed_answer_is_told_only_after_its_ranks_are_on_disk(autojump_clock: MockClock) -> None:
    """So that a retry hears the same, also after a restart."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.delay_s = 1
        asked = office.committing(write("a", 1, key="k"))
        await trio.sleep(5)
        [(_, committed)] = office.store.ledger
        assert asked.result == Receipt(committed.fact, 1, 1, 1, repeated=False)
        assert asked.at == pytest.approx(2.0005)  # one second for the score, one for its ranks
        again = await office.receipt(write("a", 2, key="k", token="a-1"))
        assert (again.previous_rank, again.new_rank, again.repeated) == (1, 1, True)


async def test_answers_that_wait_are_carried_by_the_next_commit(autojump_clock: MockClock) -> None:
    """Under load the ranks cost no transaction of their own."""
    async with running_office() as office:
        office.add("a", "b")
        gate = office.store.faults.hold()
        first = office.committing(write("a", 1, key="k"))
        await wait_all_tasks_blocked()
        second = office.committing(write("b", 1))
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert office.store.faults.calls == 2
        assert isinstance(first.result, Receipt)
        assert isinstance(second.result, Receipt)


async def test_the_refusals_of_the_store_are_answers(autojump_clock: MockClock) -> None:
    """Each write has its own, and the others of the batch count."""
    async with running_office() as office:
        office.add("a", "banned")
        office.player("banned").banned = True
        await office.commit(write("a", 1, key="k"))
        gate = office.store.faults.hold()
        wishes = [
            write("banned", 1),
            write("nobody", 1),
            write("a", 2, token="a-1"),
            write("a", 3, key="k"),
            write("a", 4),
        ]
        asked = await office.committing_in_order(*wishes)
        gate.set()
        await wait_all_tasks_blocked()
        kinds = [type(each.result) for each in asked]
        assert kinds == [BannedUser, UnknownUser, TokenSpent, KeyConflict, Receipt]
        assert office.totals["a"] == 2


async def test_a_store_that_is_away_refuses_all_and_nothing_is_remembered(autojump_clock: MockClock) -> None:
    """Who asks again is committed like new."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_before(StoreUnavailable("away"))
        with pytest.raises(LedgerUnavailable):
            await office.commit(write("a", 1))
        assert repr(office.actors[-1]) == "<LedgerActor, 0 untold, 0 in doubt, <BoardLine, 0 unapplied>>"
        assert (await office.receipt(write("a", 1))).fact.score == 1
        assert office.done == [1]


async def test_ranks_that_could_not_be_kept_are_kept_later(autojump_clock: MockClock) -> None:
    """Who asked is told at once to ask again; the retry hears the ranks of the first time."""
    async with running_office() as office:
        office.add("a", "b")
        await office.commit(write("b", 1))
        office.store.faults.fail_before(None, StoreUnavailable("away"))
        with pytest.raises(LedgerUnavailable):
            await office.commit(write("a", 1, key="k"))
        await office.commit(write("b", 2))
        again = await office.receipt(write("a", 2, key="k", token="a-1"))
        assert (again.fact.score, again.previous_rank, again.new_rank, again.repeated) == (1, 2, 2, True)


async def test_a_retry_after_a_crash_hears_where_its_player_stands(autojump_clock: MockClock) -> None:
    """The score was on disk and nobody had ranked it; so it is ranked with the retry, and that is kept for the next."""
    async with running_office() as office:
        office.add("a", "b")
        await office.commit(write("b", 1))
        office.on_done.append(ZeroDivisionError())
        with pytest.raises(ActorCrashed):
            await office.commit(write("a", 1, key="k"))
        first = await office.receipt(write("a", 2, key="k", token="a-1"))
        await office.commit(write("a", 3))
        again = await office.receipt(write("a", 4, key="k", token="a-1"))
        assert (True, 2) == (first.repeated, first.new_rank)
        assert first == again


async def test_a_retry_that_is_known_does_not_reach_the_board(autojump_clock: MockClock) -> None:
    """It may be old: its player, banned since, would stand on the board again."""
    async with running_office() as office:
        office.add("a")
        first = await office.receipt(write("a", 1, key="k"))
        office.player("a").banned = True
        told = len(office.board.batches), len(office.published)
        again = replace(first, repeated=True, fact=first.fact._replace(hidden=True))
        assert again == await office.receipt(write("a", 2, key="k", token="a-1"))
        await wait_all_tasks_blocked()
        assert told == (len(office.board.batches), len(office.published))


async def test_a_new_player_is_on_the_board_when_joining_is_answered(autojump_clock: MockClock) -> None:
    """With version 0; the event log hears of it too."""
    async with running_office() as office:
        fact = office.store.players.add("new").fact()
        await office.ledger.ask(TellBoards(fact), within=5)
        await wait_all_tasks_blocked()
        assert office.board.scores == {"new": 0}
        assert office.published == [fact]
        assert office.store.batches == []


async def test_what_is_published_says_of_which_history_it_is_or_of_one_before(autojump_clock: MockClock) -> None:
    """That of the beginning: what was on its way when the store came to another one may be of either."""
    history = History()
    history.enter("1", 0)
    async with running_office(history=history) as office:
        office.add("a")
        gate = office.store.faults.hold()
        asked = office.committing(write("a", 1))
        await wait_all_tasks_blocked()
        history.enter("2", trio.current_time())
        gate.set()
        await trio.sleep(1)
        assert isinstance(asked.result, Receipt)
        await office.commit(write("a", 2))
        await wait_all_tasks_blocked()
        assert [("1", (1,)), ("2", (2,))] == [(each.history, each.batches) for each in office.parts]


async def test_what_was_announced_in_a_history_before_is_not_published(autojump_clock: MockClock) -> None:
    """Until all of it has come; the boards of this worker are told, and are read again then."""
    history = History()
    history.enter("1", 0)
    async with running_office(history=history) as office:
        fact = office.store.players.add("new").fact()
        history.enter("2", trio.current_time())
        await office.ledger.ask(TellBoards(fact), within=5)
        await trio.sleep(SETTLE_S)
        assert ({"new": 0}, []) == (office.board.scores, office.published)
        await office.ledger.ask(TellBoards(fact), within=5)
        await wait_all_tasks_blocked()
        assert [fact] == office.published


async def test_an_unexpected_failure_of_the_store_releases_all_who_ask(autojump_clock: MockClock) -> None:
    """At once, and the next incarnation works."""
    async with running_office() as office:
        office.add("a")
        office.store.faults.fail_before(ZeroDivisionError())
        asked = [office.committing(write("a", n)) for n in range(3)]
        await wait_all_tasks_blocked()
        assert [type(each.result) for each in asked] == [ActorCrashed] * 3
        assert (await office.receipt(write("a", 9))).fact.score == 1


async def test_a_message_that_is_none_of_the_ledgers_commits_nothing(autojump_clock: MockClock) -> None:
    """It is a mistake of ours, found before anything is done."""
    async with running_office() as office:
        office.add("a")
        gate = office.store.faults.hold()
        await office.committing_in_order(write("a", 1))
        office.ledger.tell("nonsense")
        (asked,) = await office.committing_in_order(write("a", 2))
        gate.set()
        await wait_all_tasks_blocked()
        assert isinstance(asked.result, ActorCrashed)
        assert office.store.batches == [1]
