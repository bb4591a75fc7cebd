from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import Actor, ActorCrashed
from tests.runtime.probes import Broken, Note, Recorder, asking, directory_of, solo


class Clock(Actor):
    """Wakes at `times`, one after another, and notes when it was woken and what came in between."""

    def __init__(self, times: list[float], *, then: Callable[[], None] = lambda: None) -> None:
        self.times = times
        self.then = then
        self.diary: list[object] = []

    async def started(self) -> None:
        self._next()

    def _next(self) -> None:
        if self.times:
            self.wake_at = self.times.pop(0)

    async def woken(self) -> None:
        assert self.wake_at == math.inf
        self.diary.append(trio.current_time())
        self._next()
        self.then()

    async def receive(self, message: Note) -> str:
        self.diary.append(message.text)
        return message.text

    async def stopped(self) -> None:
        self.diary.append("stopped")


async def test_an_actor_is_woken_at_its_time(autojump_clock: MockClock) -> None:
    """Once for each time that it set, and the alarm is off before it is called."""
    clock = Clock([2, 5, 5.5])
    async with solo(lambda: clock):
        await trio.sleep(20)
    assert clock.diary == [2, 5, 5.5, "stopped"]


async def test_messages_come_in_between(autojump_clock: MockClock) -> None:
    """An alarm that is set delays no message, and a message delays no alarm."""
    clock = Clock([2, 5])
    async with solo(lambda: clock) as ref:
        for text in "ab":
            await trio.sleep(1.5)
            assert await ref.ask(Note(text), within=0.1) == text
        await trio.sleep(5)
    assert clock.diary == ["a", 2, "b", 5, "stopped"]


async def test_a_flood_of_messages_does_not_starve_an_alarm(autojump_clock: MockClock) -> None:
    """An alarm that is due comes before the next message."""

    class Busy(Clock):
        async def receive(self, message: Note) -> str:
            await trio.sleep(1)
            return await super().receive(message)

    clock = Busy([3])
    async with solo(lambda: clock, capacity=1000) as ref:
        for _ in range(100):
            ref.tell(Note("a"))
        await trio.sleep(10.5)
    assert clock.diary.index(3) == 3


async def test_a_flood_of_alarms_does_not_starve_messages(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """An actor that is always late with its alarms still serves, and lets others run."""
    clock = Clock([0] * 1000)
    async with solo(lambda: clock) as ref:
        askers = [asking(nursery, ref, Note(text)) for text in "abc"]
        await wait_all_tasks_blocked()
        assert [asker.result for asker in askers] == ["a", "b", "c"]
    assert clock.diary.index("c") < 100


async def test_a_stop_during_an_alarm_is_not_overlooked(autojump_clock: MockClock) -> None:
    """The alarm's work is finished, then the actor saves and ends, though nobody sends anything more."""
    begun = trio.Event()

    class Slowly(Clock):
        async def woken(self) -> None:
            begun.set()
            await trio.sleep(1)
            await super().woken()

    clock = Slowly([2])
    async with solo(lambda: clock):
        await begun.wait()
    assert clock.diary == [3, "stopped"]
    assert trio.current_time() == 3


async def test_a_failure_in_woken_is_a_crash(autojump_clock: MockClock) -> None:
    """The next incarnation sets an alarm of its own, and nothing of the failed one is saved."""

    def fail() -> None:
        raise Broken("late")

    first, second = Clock([2], then=fail), Clock([4])
    makes = iter([first, second])
    observer = Recorder()
    async with solo(lambda: next(makes), observer=observer):
        await trio.sleep(10)
    assert first.diary == [2]
    assert second.diary == [4, "stopped"]
    assert observer.delays == [1]


async def test_asks_behind_a_failing_alarm_are_released(autojump_clock: MockClock) -> None:
    """They were not begun."""

    class Slowly(Clock):
        async def woken(self) -> None:
            await trio.sleep(1)
            raise Broken("late")

    async with solo(lambda: Slowly([2])) as ref:
        await trio.sleep(2.5)
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Note("a"), within=5)
        assert (caught.value.begun, trio.current_time()) == (False, 3)


async def test_an_alarm_does_not_count_as_use(autojump_clock: MockClock) -> None:
    """An idle actor is passivated although it wakes now and then, unless it says that it may not be."""
    clock = Clock([float(n) for n in range(1, 100)])
    async with directory_of(lambda _: clock, idle_after_s=4) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(10)
        assert directory.live == 0
    assert clock.diary[-1] == "stopped"
