"""An actor that decides at once."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, ActorStopped, CellOptions, Observer, Promise, PromptActor, Ref, Request
from actors.runtime.cell import Cell
from tests.runtime.probes import EXACT, Broken, Crash, No, Note, Recorder, Refuse, Slow, asking, directory_of, solo


class Judge(PromptActor):
    """Answers notes, keeps what is slow, and notes which task it runs in. `then` is called with each message."""

    def __init__(self, then: Callable[[str], None] = lambda _: None) -> None:
        self.diary: list[object] = []
        self.tasks: list[trio.lowlevel.Task] = []
        self.kept: list[Request] = []
        self.then = then

    def decide(self, request: Request) -> None:
        self.tasks.append(trio.lowlevel.current_task())
        self.diary.append(request.message.text)
        self.then(request.message.text)
        match request.message:
            case Refuse(text):
                raise No(text)
            case Crash(text):
                raise Broken(text)
            case Slow():
                self.kept.append(request)
            case Note(text):
                request.answer(text)
        self.diary.append(".")

    async def woken(self) -> None:
        self.diary.append(trio.current_time())


def asked(outcomes: list[Any], directory: Any, message: Any) -> Promise[Any]:
    """Promised by actor "a" of a directory; the outcome goes to the list."""
    promise: Promise[Any] = directory.promise(
        "a", message, within=30, settled=lambda promise: outcomes.append(promise.outcome)
    )
    return promise


async def test_a_message_is_decided_when_it_has_been_sent(autojump_clock: MockClock) -> None:
    """In the task of who sends, once the actor lives; its answer, its No and what it keeps alike."""
    judge, outcomes = Judge(), list[Any]()
    async with directory_of(lambda _: judge) as directory:
        first = asked(outcomes, directory, Note("first"))
        assert first.open  # it comes to life in a task of its own
        await wait_all_tasks_blocked()
        assert not asked(outcomes, directory, Note("a")).open
        asked(outcomes, directory, Refuse())
        assert asked(outcomes, directory, Slow("b", 0)).open
        assert [outcomes[0], outcomes[1], type(outcomes[2])] == ["first", "a", No]
        judge.kept[0].answer("later")
        assert outcomes[3:] == ["later"]
        assert [task is trio.lowlevel.current_task() for task in judge.tasks] == [False, True, True, True]


async def test_what_it_sends_to_itself_waits_until_it_has_decided(autojump_clock: MockClock) -> None:
    """One message at a time, in order, also for who comes meanwhile."""
    refs: list[Ref] = []
    judge = Judge(lambda text: refs[0].tell(Note("b")) if text == "a" else None)
    async with solo(lambda: judge) as ref:
        refs.append(ref)
        await wait_all_tasks_blocked()
        ref.tell(Note("a"))
        ref.tell(Note("c"))
        assert judge.diary == ["a", "."]
        await wait_all_tasks_blocked()
        assert judge.diary == ["a", ".", "b", ".", "c", "."]


async def test_a_failure_ends_the_incarnation_and_not_the_sender(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Who asked hears of it, and so does who had been kept; what comes before the next life waits for that."""
    judges: list[Judge] = []
    observer = Recorder()

    def make() -> Judge:
        judges.append(Judge())
        return judges[-1]

    async with solo(make, observer=observer) as ref:
        await wait_all_tasks_blocked()
        kept = asking(nursery, ref, Slow("kept", 0))
        await wait_all_tasks_blocked()
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Crash(), within=5)
        assert caught.value.begun
        assert isinstance(caught.value.__cause__, Broken)
        ref.tell(Note("told"))
        await trio.sleep(2)
        assert isinstance(kept.result, ActorCrashed)
        assert [judge.diary for judge in judges] == [["kept", ".", "crash"], ["told", "."]]
        assert [type(fault) for fault in observer.faults] == [Broken]


async def test_a_message_that_is_told_between_a_failure_and_the_next_life_is_not_lost(
    autojump_clock: MockClock,
) -> None:
    """Nothing runs on the state of the one that failed."""
    judges: list[Judge] = []

    def make() -> Judge:
        judges.append(Judge())
        return judges[-1]

    async with solo(make) as ref:
        await wait_all_tasks_blocked()
        ref.tell(Crash())
        ref.tell(Note("told"))
        await trio.sleep(2)
        assert [judge.diary for judge in judges] == [["crash"], ["told", "."]]


async def test_a_failure_is_known_also_when_everything_is_cancelled_at_that_moment(autojump_clock: MockClock) -> None:
    """A life that failed is not ended as if it had ended well."""
    observer = Recorder()
    with trio.CancelScope() as scope:
        async with solo(Judge, observer=observer) as ref:
            await wait_all_tasks_blocked()
            scope.cancel()
            ref.tell(Crash())
            await trio.sleep_forever()
    assert [type(fault) for fault in observer.faults] == [Broken]


async def test_an_alarm_that_is_set_by_a_message_rings(autojump_clock: MockClock) -> None:
    """An earlier one than the one that is set as well; a message that sets none delays none."""
    judge = Judge()
    times = {"a": 5.0, "b": 2.0}

    def then(text: str) -> None:
        judge.wake_at = times.get(text, judge.wake_at)

    judge.then = then
    async with solo(lambda: judge) as ref:
        await wait_all_tasks_blocked()
        for text in "abc":
            ref.tell(Note(text))
        await trio.sleep(3)
        assert judge.diary == ["a", ".", "b", ".", "c", ".", 2.0]
        assert judge.wake_at == math.inf


async def test_a_message_keeps_it_from_resting(autojump_clock: MockClock) -> None:
    """As that of any other actor; what it keeps does, too."""
    async with directory_of(lambda _: Judge(), options=CellOptions(restarts=EXACT), idle_after_s=10) as directory:
        for _ in range(5):
            await directory.ask("a", Note("a"), within=1)
            await trio.sleep(9)
            assert directory.live == 1
        outcomes: list[Any] = []
        kept = asked(outcomes, directory, Slow("kept", 0))
        await trio.sleep(25)
        assert directory.live == 1
        kept.withdraw()
        await trio.sleep(25)
        assert directory.live == 0


class Steps(trio.abc.Instrument):
    """Counts the turns of one task."""

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self.task = task
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task is self.task


@asynccontextmanager
async def cell_of(*judges: Judge) -> AsyncIterator[Cell]:
    """A cell whose lives are these, the first of them waiting for messages."""
    lives = iter(judges)
    cell = Cell("a", lambda: next(lives), CellOptions(), observer=Observer(), rng=random.Random(0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cell.run)
        await wait_all_tasks_blocked()
        yield cell
        nursery.cancel_scope.cancel()


async def test_a_message_costs_the_actors_own_task_no_turn(autojump_clock: MockClock) -> None:
    """Unless it sets an alarm; and nothing is kept of what has been settled."""
    judge = Judge()
    async with cell_of(judge) as cell:
        [steps] = [Steps(task) for task in _tasks() if task.coro.__qualname__ == "Cell.run"]
        trio.lowlevel.add_instrument(steps)
        for text in "abc":
            cell.deliver(Request(Note(text)))
            await wait_all_tasks_blocked()
        assert (0, 3, []) == (steps.count, len(judge.tasks), cell._in_hand)
        judge.then = lambda _: setattr(judge, "wake_at", 5.0)
        for _ in range(2):
            cell.deliver(Request(Note("alarm")))
            await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        assert steps.count == 1


def _tasks() -> list[trio.lowlevel.Task]:
    parent = trio.lowlevel.current_task()
    return [task for nursery in parent.child_nurseries for task in nursery.child_tasks]


async def test_what_nobody_waits_for_any_more_is_not_decided(autojump_clock: MockClock) -> None:
    """Its sender went while the actor came to life."""
    judge, outcomes = Judge(), list[Any]()
    async with directory_of(lambda _: judge) as directory:
        asked(outcomes, directory, Note("gone")).withdraw()
        asked(outcomes, directory, Note("there"))
        await wait_all_tasks_blocked()
        assert (judge.diary, outcomes) == (["there", "."], ["there"])


async def test_what_comes_while_it_saves_waits_for_the_next_life(autojump_clock: MockClock) -> None:
    """What it decided then would be forgotten."""
    resting, next_one = Saving(), Judge()
    async with cell_of(resting, next_one) as cell:
        cell.rest()
        await wait_all_tasks_blocked()
        cell.deliver(Request(Note("late")))
        assert resting.diary == ["saving"]
        await trio.sleep(2)
        assert (resting.diary, next_one.diary) == (["saving", "saved"], ["late", "."])


class Saving(Judge):
    """Needs a second to save."""

    async def stopped(self) -> None:
        self.diary.append("saving")
        await trio.sleep(1)
        self.diary.append("saved")


async def test_nothing_is_decided_from_the_moment_of_being_stopped(autojump_clock: MockClock) -> None:
    """Although it has not ended yet, and its task has not run."""
    judge = Judge()
    async with cell_of(judge) as cell:
        cell.stop()
        with pytest.raises(ActorStopped):
            cell.deliver(Request(Note("late")))
        assert judge.diary == []


async def test_nothing_is_decided_when_it_has_been_stopped(autojump_clock: MockClock) -> None:
    """Who sends is told, as by any other actor."""
    judge, refs = Judge(), list[Ref]()
    async with solo(lambda: judge) as ref:
        refs.append(ref)
        await wait_all_tasks_blocked()
    with pytest.raises(ActorStopped):
        refs[0].tell(Note("late"))
    assert judge.diary == []
