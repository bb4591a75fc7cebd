"""What is published answers questions without asking the board's actor, and never otherwise than it would."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.leaderboard.actor import SLICE
from actors.leaderboard.messages import Apply, Around, CatchUp, Loaded, NotRanked, Page, RankOf
from actors.ports import ALL_TIME, UserId
from actors.runtime import Question
from tests.leaderboard.naive import fact
from tests.leaderboard.stage import Stage, running_stage

B = UserId("b")
QUESTIONS: list[Question[Any]] = [RankOf(B), Around(B, 1, 1), Around(B, 0, 100), Page(2, 1), Loaded()]


def told(stage: Stage, question: Question[Any]) -> Any:
    """What is published answers."""
    return stage.published.answer(ALL_TIME, question)


@pytest.mark.parametrize("question", QUESTIONS, ids=repr)
async def test_what_is_published_answers_as_the_board_does(autojump_clock: MockClock, question: Question[Any]) -> None:
    """After each score, before anybody else has run."""
    async with running_stage(*"abcd") as stage:
        for name in "cbbdab":
            await stage.score(name)
            at_once = told(stage, question)
            assert await stage.board.ask(question, within=5) == at_once
            assert at_once is not None


@pytest.mark.parametrize("question", [RankOf(UserId("nobody")), Around(UserId("nobody"), 5, 5)], ids=repr)
async def test_a_stranger_is_refused_at_once(autojump_clock: MockClock, question: Question[Any]) -> None:
    """As the board refuses; and the board lives on."""
    async with running_stage(*"ab") as stage:
        await stage.board.ask(Loaded(), within=5)
        with pytest.raises(NotRanked):
            told(stage, question)
        assert 2 == told(stage, Loaded())


async def test_only_the_board_itself_takes_facts(autojump_clock: MockClock) -> None:
    """A reader that is given anything but a question of its own says so, and changes nothing."""
    async with running_stage("a") as stage:
        await stage.board.ask(Loaded(), within=5)
        with pytest.raises(TypeError, match="does not understand"):
            told(stage, Apply((fact("b", 1),)))
        assert 1 == told(stage, Loaded())


async def test_nothing_is_answered_at_once_before_a_board_is_loaded_or_after_it_has_stopped(
    autojump_clock: MockClock,
) -> None:
    """Nor after a crash, until the next incarnation knows all that is on disk: only the actor can make one wait."""
    async with running_stage("a", load=False) as stage:
        assert told(stage, Loaded()) is None
        assert 1 == await stage.board.ask(Loaded(), within=5) == told(stage, Loaded())
        stage.crash()
        await wait_all_tasks_blocked()
        assert told(stage, Loaded()) is None
        stage.add("b")
        assert 2 == await stage.board.ask(Loaded(), within=5) == told(stage, Loaded())
    assert told(stage, Loaded()) is None


@pytest.mark.parametrize("good", [1, SLICE], ids=["within a slice", "between two"])
async def test_a_crash_amid_many_facts_leaves_nothing_to_be_read(autojump_clock: MockClock, good: int) -> None:
    """What is half ranked is never told, nor shown, whatever ends the work on it."""
    async with running_stage("a") as stage:
        await stage.board.ask(Loaded(), within=5)
        facts: Any = [*(fact(f"player-{number:04}", number) for number in range(good)), "nonsense"]
        stage.board.tell(Apply(tuple(facts)))
        await wait_all_tasks_blocked()
        assert told(stage, Loaded()) is None
        assert stage.published.get(ALL_TIME) is None


async def test_while_many_facts_are_ranked_nobody_is_told_half_of_them(autojump_clock: MockClock) -> None:
    """Between two slices there is no answer at once; before and behind them it is the one that the view shows."""
    async with running_stage() as stage:
        facts = tuple(fact(f"player-{number:04}", number) for number in range(2 * SLICE + 1))
        looks: list[int | None] = []

        def look() -> None:
            found, view = told(stage, Loaded()), stage.published.get(ALL_TIME)
            assert view is not None
            assert found in (None, view.total)
            looks.append(found)

        async def look_on() -> None:
            while True:
                look()
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look_on)
            await trio.lowlevel.checkpoint()
            await stage.apply(*facts)
            nursery.cancel_scope.cancel()
        look()
        assert {0, None, len(facts)} == set(looks)


async def test_a_board_that_reads_its_players_again_still_answers_at_once(autojump_clock: MockClock) -> None:
    """It knows what it knew before, and that is whole."""
    async with running_stage(*"ab") as stage:
        await stage.board.ask(Loaded(), within=5)
        stage.store.faults.delay_s = 1
        stage.board.tell(CatchUp())
        await wait_all_tasks_blocked()
        assert 2 == told(stage, Loaded())
