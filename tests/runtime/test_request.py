from __future__ import annotations

import contextlib
import gc
import math
import weakref

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, AskTimeout, Request, current_deadline
from tests.runtime.probes import (
    Broken,
    Call,
    Crash,
    No,
    Note,
    Probe,
    Recorder,
    Refuse,
    Slow,
    asking,
    directory_of,
    solo,
)


def test_a_request_shows_whether_anybody_waits() -> None:
    """For the person at the debugger."""
    assert repr(Request("hello")) == "<Request 'hello' (tell)>"
    request = Request("hello", asked=True)
    assert repr(request) == "<Request 'hello' (ask, open)>"
    request.answer(1)
    assert repr(request) == "<Request 'hello' (ask, closed)>"


async def test_only_the_first_answer_counts(autojump_clock: MockClock) -> None:
    """An asker is released once; what comes later changes nothing."""
    request = Request("hello", asked=True, deadline=5)
    request.answer(1)
    request.answer(2)
    request.fail(Broken())
    assert await request.wait() == 1


async def test_a_failure_cannot_be_turned_into_an_answer(autojump_clock: MockClock) -> None:
    """The first settling is the last, also when it was an error."""
    request = Request("hello", asked=True, deadline=5)
    request.fail(Broken())
    request.answer(1)
    with pytest.raises(Broken):
        await request.wait()


def test_a_tell_is_answered_into_the_void() -> None:
    """An actor need not know whether anybody asked."""
    request = Request("hello")
    request.answer(1)
    request.fail(Broken())
    assert not request.open


async def test_the_deadline_is_required(autojump_clock: MockClock) -> None:
    """`within` has no default, and an endless one is a mistake that is named."""
    async with solo(lambda: Probe([])) as ref:
        with pytest.raises(TypeError, match="within"):
            await ref.ask(Note("a"))  # type: ignore[call-arg]
        for endless in (math.inf, math.nan):
            with pytest.raises(ValueError, match="to ask Note needs a bound in seconds, not within="):
                await ref.ask(Note("a"), within=endless)


async def test_an_asker_waits_no_longer_than_it_said(autojump_clock: MockClock) -> None:
    """AskTimeout comes at the deadline; work that was begun goes on to its end."""
    diary: list[str] = []
    ended = trio.Event()

    async def long() -> None:
        await trio.sleep(10)
        ended.set()

    async with solo(lambda: Probe(diary)) as ref:
        with pytest.raises(AskTimeout, match="no answer in time to Call"):
            await ref.ask(Call(long), within=3)
        assert trio.current_time() == 3
        await ended.wait()
        assert trio.current_time() == 10
        assert await ref.ask(Note("alive"), within=1) == "alive"


async def test_the_deadline_travels_with_the_message(autojump_clock: MockClock) -> None:
    """An actor sees the asker's deadline, and what it asks of others cannot outlast it."""
    seen = []

    async def inner() -> None:
        seen.append(("inner", current_deadline()))
        await trio.sleep(100)

    async with solo(lambda: Probe([])) as second, solo(lambda: Probe([])) as first:

        async def outer() -> str:
            seen.append(("outer", current_deadline()))
            try:
                await second.ask(Call(inner), within=50)
            except AskTimeout:
                return f"given up at {trio.current_time():g}"
            return "answered"

        with contextlib.suppress(AskTimeout):  # both end at the same time, and either may be first
            assert await first.ask(Call(outer), within=3) == "given up at 3"
        assert trio.current_time() == 3
        assert seen == [("outer", 3), ("inner", 3)]


async def test_a_shorter_deadline_of_ones_own_is_kept(autojump_clock: MockClock) -> None:
    """The nearer of both ends holds."""
    async with solo(lambda: Probe([])) as second, solo(lambda: Probe([])) as first:

        async def outer() -> str:
            try:
                return await second.ask(Slow("slow", 100), within=2)
            except AskTimeout:
                return f"given up at {trio.current_time():g}"

        assert await first.ask(Call(outer), within=50) == "given up at 2"


async def test_a_tell_has_no_deadline(autojump_clock: MockClock) -> None:
    """Work that nobody waits for is bounded by nobody, also right after an ask."""
    seen = []

    async def look() -> None:
        seen.append(current_deadline())

    async with solo(lambda: Probe([])) as ref:
        await ref.ask(Call(look), within=3)
        ref.tell(Call(look))
        await ref.ask(Call(look), within=4)
    assert seen == [3, math.inf, 4]


async def test_hooks_are_not_bound_by_the_question_before_them(autojump_clock: MockClock) -> None:
    """What an actor asks while it starts, wakes or saves has nothing to do with the last message's deadline."""
    seen = []

    async def look() -> None:
        seen.append(current_deadline())

    class Alarmed(Probe):
        async def receive(self, message: object) -> None:
            self.wake_at = trio.current_time() + 5

        async def woken(self) -> None:
            await look()

    async with directory_of(lambda _: Alarmed([], started=look, stopped=look), idle_after_s=20) as directory:

        async def first_message() -> None:  # this one makes the other actor, while it works under a deadline
            await directory.ask("b", Note("a"), within=1)

        async with solo(lambda: Probe([])) as ref:
            await ref.ask(Call(first_message), within=1)
        await trio.sleep(100)
        assert directory.live == 0
    assert seen == [math.inf] * 3


async def test_saving_and_restarting_are_not_bound_by_the_last_question(autojump_clock: MockClock) -> None:
    """Its deadline goes with it, whether the life after it ends well or not."""
    seen = []

    async def look() -> None:
        seen.append(current_deadline())

    async with solo(lambda: Probe([], started=look, stopped=look)) as ref:
        with pytest.raises(ActorCrashed):
            await ref.ask(Crash(), within=1)
        await ref.ask(Note("a"), within=5)
    assert seen == [math.inf] * 3


async def test_expired_work_is_not_begun(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A message whose deadline passed while it waited is dropped and counted."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        ref.tell(Slow("slow", 10))
        late = asking(nursery, ref, Note("late"), within=5)
        asking(nursery, ref, Note("in time"), within=20)
        await trio.sleep(11)
        assert isinstance(late.result, AskTimeout)
        assert late.at == 5
        assert diary == ["started", "slow", "in time"]
        assert observer.of("expired") == [("expired", "probe")]


async def test_work_whose_asker_has_gone_is_not_begun(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A cancelled asker leaves at once, and its waiting message is dropped and counted."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        ref.tell(Slow("slow", 10))
        gone = asking(nursery, ref, Note("gone"))
        await trio.sleep(1)
        gone.scope.cancel()
        await wait_all_tasks_blocked()
        assert gone.scope.cancelled_caught
        await trio.sleep(10)
        assert diary == ["started", "slow"]
        assert observer.count("expired") == 1


async def test_an_ask_that_is_too_late_from_the_start_is_not_begun(autojump_clock: MockClock) -> None:
    """Nothing left of the deadline: AskTimeout, and no work."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        await ref.ask(Note("a"), within=1)
        for within in (0, -1):
            with pytest.raises(AskTimeout):
                await ref.ask(Note("b"), within=within)
        await wait_all_tasks_blocked()
        assert diary == ["started", "a"]
        assert observer.count("expired") == 2


async def test_an_answer_after_the_asker_left_does_nothing(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The actor finishes what it began, and the answer falls into the void."""
    async with solo(lambda: Probe([])) as ref:
        gone = asking(nursery, ref, Slow("slow", 10))
        await trio.sleep(1)
        gone.scope.cancel()
        await trio.sleep(10)
        assert gone.result is None
        assert await ref.ask(Note("alive"), within=1) == "alive"


async def test_a_refusal_after_the_asker_left_does_nothing(autojump_clock: MockClock) -> None:
    """The same for a No."""
    observer = Recorder()

    async def refuse_late() -> None:
        await trio.sleep(5)
        raise No("late")

    async with solo(lambda: Probe([]), observer=observer) as ref:
        with pytest.raises(AskTimeout):
            await ref.ask(Call(refuse_late), within=1)
        await trio.sleep(10)
        assert await ref.ask(Note("alive"), within=1) == "alive"
    assert observer.count("crashed") == 0


async def test_an_answer_and_a_cancellation_at_once_give_one_of_both(autojump_clock: MockClock) -> None:
    """An asker that was answered gets the answer, even if the cancellation comes before it runs again."""
    results = []
    for cancel_first in (True, False):
        request = Request("hello", asked=True, deadline=1e9)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def wait(request: Request = request) -> None:
                    results.append(await request.wait())

                nursery.start_soon(wait)
                await wait_all_tasks_blocked()
                if cancel_first:
                    scope.cancel()
                request.answer("answer")
                scope.cancel()
    assert results == ["answer"]


async def test_a_refused_asker_leaves_no_garbage_behind(autojump_clock: MockClock) -> None:
    """Error, traceback and request do not keep each other alive: no collector is needed to free them."""
    gc.collect()
    gc.disable()
    try:
        async with solo(lambda: Probe([])) as ref:
            with pytest.raises(No) as caught:
                await ref.ask(Refuse(), within=1)
            seen = weakref.ref(caught.value)
            del caught
        assert seen() is None
    finally:
        gc.enable()
