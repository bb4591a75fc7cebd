from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.ledger.messages import Receipt, TellBoards
from actors.ledger.unapplied import Unapplied
from actors.ports import ScoreFact
from actors.runtime import ActorCrashed
from tests.leaderboard.naive import fact
from tests.ledger.office import Office, running_office, write

QUIET = "<LedgerActor, 0 untold, 0 in doubt, <BoardLine, 0 unapplied>>"


def ranks(receipt: Receipt) -> tuple[int | None, int | None]:
    """Before and after."""
    return receipt.previous_rank, receipt.new_rank


async def test_a_board_that_crashes_at_a_score_hears_of_it_later(autojump_clock: MockClock) -> None:
    """The player has the point and is told so, without ranks."""
    async with running_office() as office:
        office.add("a")
        office.board.faults.append(ZeroDivisionError())
        receipt = await office.receipt(write("a", 1))
        assert (receipt.fact.score, ranks(receipt)) == (1, (None, None))
        await trio.sleep(2)
        assert office.board.scores == {"a": 1}
        assert repr(office.actors[-1]) == QUIET


async def test_a_retry_hears_no_ranks_if_the_first_answer_had_none(autojump_clock: MockClock) -> None:
    """The same answer, whatever the board knows by now, also after the ledger was made anew."""
    async with running_office() as office:
        office.add("a")
        office.board.faults.append(ZeroDivisionError())
        assert ranks(await office.receipt(write("a", 1, key="k"))) == (None, None)
        await trio.sleep(2)
        wish = write("a", 2, key="k", token="a-1")
        again = await office.receipt(wish)
        recalled = await office.ledger.ask(office.recall(wish), within=5)
        assert (ranks(again), again.repeated) == ((None, None), True)
        assert again == recalled


async def test_a_board_that_is_away_for_long_keeps_nobody_waiting(autojump_clock: MockClock) -> None:
    """One round waits for it, then it is left alone for a while; nobody comes near the time that an ask has."""
    async with running_office(board_within_s=1, retry_s=0.5) as office:
        office.add("a")
        office.board.gate = trio.Event()
        waits = []
        for number in range(60):
            began = trio.current_time()
            assert isinstance(await office.commit(write("a", number, key=f"{number}")), Receipt)
            waits.append(trio.current_time() - began)
            await trio.sleep(0.1)
        assert max(waits) < 1.1
        assert sum(wait < 0.1 for wait in waits) > 30
        office.board.gate.set()
        office.board.gate = None
        await trio.sleep(2)
        assert {"a": 60} == office.totals == office.board.scores


async def test_facts_whose_question_expired_are_handed_over_again(autojump_clock: MockClock) -> None:
    """An ask that nobody waits for any more is not done by the board; the facts are kept until one is answered."""
    async with running_office(board_within_s=1) as office:
        office.add("a", "b")
        office.board.gate = trio.Event()
        for number in range(4):
            await office.commit(write("ab"[number % 2], number))
        await trio.sleep(5)
        office.board.gate.set()
        office.board.gate = None
        await trio.sleep(2)
        assert office.board.scores == {"a": 2, "b": 2}
        assert repr(office.actors[-1]) == QUIET


async def test_only_the_newest_fact_of_a_player_is_kept_for_the_board(autojump_clock: MockClock) -> None:
    """A total says all of the older ones, so what waits is bounded by the number of players."""
    async with running_office() as office:
        office.add("a")
        office.board.gate = trio.Event()
        for number in range(20):
            await office.commit(write("a", number))
        assert len(office.actors[-1]._board._unapplied) == 1


async def test_with_too_many_players_waiting_the_board_reads_the_store_instead(autojump_clock: MockClock) -> None:
    """That is the rule for the overflow: forget them all, and let the board catch up."""
    async with running_office(max_unapplied=2) as office:
        office.add(*"abcdef")
        office.board.gate = trio.Event()
        for name in "abcdef":
            await office.commit(write(name, 1))
            assert len(office.actors[-1]._board._unapplied) <= 2
        office.board.gate.set()
        office.board.gate = None
        await trio.sleep(5)
        assert office.board.catch_ups > 0
        assert dict.fromkeys("abcdef", 1) == office.board.scores


def test_facts_that_wait_are_kept_by_version() -> None:
    """A late older fact does not replace a newer one."""
    waiting = Unapplied(2)
    assert waiting.keep([fact("a", 2), fact("a", 1), fact("b", 1)])
    assert waiting.facts == (fact("a", 2), fact("b", 1))
    assert repr(waiting) == "<Unapplied 2>"
    assert not waiting.keep([fact("c", 1)])
    assert len(waiting) == 0


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_score_committed_just_before_a_crash_of_the_ledger_reaches_the_board(
    autojump_clock: MockClock, key: str | None
) -> None:
    """Who asked is told to ask again; the board reads from the store what the crash made the ledger forget."""
    async with running_office() as office:
        office.add("a")
        office.on_done.append(ZeroDivisionError())
        with pytest.raises(ActorCrashed):
            await office.commit(write("a", 1, key=key))
        assert (office.totals, office.board.scores) == ({"a": 1}, {"a": 0})
        await trio.sleep(0.5)
        assert office.board.scores == {"a": 1}


async def test_a_score_whose_commit_outlasts_a_crash_of_the_ledger_reaches_the_board(autojump_clock: MockClock) -> None:
    """What was still under way in the store has ended after a while; then the board reads once more."""
    async with running_office(settle_s=10) as office:
        office.add("a")
        office.store.faults.fail_before(ZeroDivisionError())
        with pytest.raises(ActorCrashed):
            await office.commit(write("a", 1))
        await trio.sleep(5)
        await office.store.commit([write("a", 1)])
        await trio.sleep(5.5)
        assert office.board.scores == {"a": 1}
        assert office.board.catch_ups == 2
        await trio.sleep(100)
        assert office.board.catch_ups == 2


async def test_a_first_life_does_not_make_the_board_read_again(autojump_clock: MockClock) -> None:
    """It has just loaded."""
    async with running_office() as office:
        office.add("a")
        await office.commit(write("a", 1))
        await trio.sleep(60)
        assert office.board.catch_ups == 0


async def test_the_board_is_told_to_catch_up_as_soon_as_it_can_hear(autojump_clock: MockClock) -> None:
    """A full mailbox postpones it."""
    async with running_office() as office:
        office.add("a")
        office.board.gate = trio.Event()
        await fill(office)
        office.on_done.append(ZeroDivisionError())
        with pytest.raises(ActorCrashed):
            await office.commit(write("a", 1))
        await trio.sleep(1)
        office.board.gate.set()
        office.board.gate = None
        await trio.sleep(2)
        assert office.board.catch_ups == 1


async def fill(office: Office) -> None:
    """Put messages into the board's mailbox until it takes no more; one is in its hand."""
    office.board_ref.tell("first")
    await wait_all_tasks_blocked()
    for _ in range(1000):
        office.board_ref.tell("more")


async def test_joining_is_answered_also_while_the_board_is_away(autojump_clock: MockClock) -> None:
    """A registration does not wait for ever; the player appears when the board is back."""
    async with running_office() as office:
        office.board.gate = trio.Event()
        fact = office.store.players.add("new").fact()
        await office.ledger.ask(TellBoards(fact), within=5)
        assert trio.current_time() == pytest.approx(1)
        office.board.gate.set()
        office.board.gate = None
        await trio.sleep(2)
        assert office.board.scores == {"new": 0}


async def test_a_publisher_that_cannot_take_more_does_not_stop_the_ledger(autojump_clock: MockClock) -> None:
    """What it does not take is counted by its mailbox and lost to the log; scores and board do not suffer."""
    async with running_office(publisher_capacity=1) as office:
        office.add("a")
        office.publisher_gate.append(trio.Event())
        for number in range(5):
            assert isinstance(await office.commit(write("a", number)), Receipt)
        assert {"a": 5} == office.totals == office.board.scores
        office.publisher_gate[0].set()
        await wait_all_tasks_blocked()
        assert [each.score for each in office.published] == [1, 2]


async def test_all_boards_hear_of_a_score_in_the_moment_in_which_its_ranks_are_asked_for(
    autojump_clock: MockClock,
) -> None:
    """Whether or not the board that is asked can tell them; facts that wait for it are not told to the others again."""
    async with running_office(board_within_s=1, retry_s=0.5) as office:
        office.add("a")
        office.board.gate = trio.Event()
        asked = office.committing(write("a", 1))
        await wait_all_tasks_blocked()
        assert office.others.told == [(trio.current_time(), (asked_for(office),))]
        await trio.sleep(3)
        office.board.gate.set()
        await trio.sleep(3)
        assert len(office.others.told) == 1
        assert office.board.scores == {"a": 1}
        assert isinstance(asked.result, Receipt)


def asked_for(office: Office) -> ScoreFact:
    """The newest fact of the ledger."""
    return office.store.ledger[-1][1].fact


async def test_the_other_boards_read_again_what_a_crash_made_the_ledger_forget(autojump_clock: MockClock) -> None:
    """As often as the one that is asked."""
    async with running_office(settle_s=10) as office:
        office.add("a")
        office.on_done.append(ZeroDivisionError())
        with pytest.raises(ActorCrashed):
            await office.commit(write("a", 1))
        await trio.sleep(20)
        assert (office.others.catch_ups, office.board.catch_ups) == (2, 2)


async def test_boards_that_had_no_room_are_reminded_when_it_is_time(autojump_clock: MockClock) -> None:
    """Also when nobody scores any more."""
    async with running_office() as office:
        office.add("a")
        office.others.due = trio.current_time() + 3
        await office.commit(write("a", 1))
        assert office.others.due == pytest.approx(3)
        await trio.sleep(4)
        assert office.others.due == float("inf")
