"""A question for which no task waits."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import CellOptions, Directory, MailboxFull, Promise, Question
from tests.runtime.probes import EXACT, Call, Crash, Note, Probe, Refuse, Slow, directory_of


class Heard:
    """Asks, and notes what promises bring."""

    def __init__(self, directory: Directory[str]) -> None:
        self.outcomes: list[str] = []
        self._directory = directory

    def ask(self, message: Question[str], within: float = 30) -> Promise[str]:
        return self._directory.promise("a", message, within=within, settled=self._note)

    def _note(self, promise: Promise[str]) -> None:
        outcome = promise.outcome
        self.outcomes.append(outcome if isinstance(outcome, str) else type(outcome).__name__)


async def test_an_outcome_goes_to_the_function_without_any_task_waiting(autojump_clock: MockClock) -> None:
    """Answers, refusals and failures alike, in the order of the questions, once each."""
    async with directory_of(lambda _: Probe([])) as directory:
        heard = Heard(directory)
        for message in (Note("1"), Refuse(), Slow("2", 5), Note("3"), Crash(), Note("4")):
            heard.ask(message)
        assert heard.outcomes == []
        await trio.sleep(10)
        assert heard.outcomes == ["1", "No", "2", "3", "ActorCrashed", "ActorCrashed"]


async def test_what_was_withdrawn_is_not_begun_and_not_told(autojump_clock: MockClock) -> None:
    """What had been begun goes on to its end."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary)) as directory:
        heard = Heard(directory)
        promises = [heard.ask(Slow(text, 1)) for text in "abc"]
        await wait_all_tasks_blocked()
        promises[0].withdraw()
        promises[1].withdraw()
        await trio.sleep(10)
        assert (heard.outcomes, diary) == (["c"], ["started", "a", "c"])


async def test_past_its_deadline_it_is_not_begun(autojump_clock: MockClock) -> None:
    """And nothing is told of it: who made it watches the clock."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary)) as directory:
        heard = Heard(directory)
        heard.ask(Slow("a", 5))
        late = heard.ask(Note("b"), within=3)
        await trio.sleep(10)
        assert (heard.outcomes, diary) == (["a"], ["started", "a"])
        assert late.deadline == 3


async def test_those_who_wait_when_the_directory_ends_are_told(autojump_clock: MockClock) -> None:
    """As every asker is."""
    async with directory_of(lambda _: Probe([])) as directory:
        heard = Heard(directory)
        heard.ask(Slow("a", 1))
        heard.ask(Note("b"))
        await wait_all_tasks_blocked()
    assert heard.outcomes == ["ActorStopped", "a"]


async def test_what_does_not_fit_is_told_to_who_asks(autojump_clock: MockClock) -> None:
    """By raising, as `ask` does; the function is not called."""
    options = CellOptions(capacity=1, restarts=EXACT)
    async with directory_of(lambda _: Probe([]), options=options) as directory:
        heard = Heard(directory)
        heard.ask(Note("a"))
        with pytest.raises(MailboxFull):
            heard.ask(Note("b"))
        with pytest.raises(ValueError, match="needs a bound"):
            heard.ask(Note("b"), within=math.inf)
        await wait_all_tasks_blocked()
        assert heard.outcomes == ["a"]


async def test_it_cannot_outlast_the_message_in_hand(autojump_clock: MockClock) -> None:
    """As with `ask`: the deadline of a question holds for what is asked on its behalf."""
    async with directory_of(lambda _: Probe([])) as directory:
        heard = Heard(directory)
        made: list[Promise[str]] = []

        async def ask_more() -> None:
            made.append(heard.ask(Note("b"), within=100))

        await directory.ask("other", Call(ask_more), within=5)
        assert made[0].deadline == 5


async def test_no_task_may_wait_for_it(autojump_clock: MockClock) -> None:
    """That would be an `ask`."""
    async with directory_of(lambda _: Probe([])) as directory:
        with pytest.raises(NotImplementedError):
            await Heard(directory).ask(Note("a")).wait()
