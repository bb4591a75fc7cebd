from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, CellOptions
from tests.runtime.probes import Broken, Crash, Note, Probe, Recorder, Slow, asking, directory_of


async def test_an_idle_actor_is_passivated(autojump_clock: MockClock) -> None:
    """Its state is saved, its place in memory is free, and its task has ended."""
    diary: list[str] = []
    observer = Recorder()
    async with directory_of(lambda _: Probe(diary), observer=observer, idle_after_s=4) as directory:
        before = trio.lowlevel.current_statistics().tasks_living
        await directory.ask("a", Note("a"), within=1)
        await trio.sleep(3.5)
        assert directory.live == 1
        await trio.sleep(1.6)
        assert directory.live == 0
        assert trio.lowlevel.current_statistics().tasks_living == before
        assert diary == ["started", "a", "stopped"]
        assert observer.seen == [("activated", "all/a"), ("ended", "all/a")]


async def test_each_message_counts_as_use(autojump_clock: MockClock) -> None:
    """Who is written to now and then stays; those that are not go, however they lie between the others."""
    async with directory_of(lambda _: Probe([]), idle_after_s=4) as directory:
        for key in "abc":
            directory.tell(key, Note("a"))
        for _ in range(10):
            await trio.sleep(3)
            directory.tell("b", Note("a"))
        assert directory.live == 1
        assert await directory.ask("b", Note("still"), within=1) == "still"


async def test_without_a_limit_nobody_is_passivated(autojump_clock: MockClock) -> None:
    """An idle time of infinity, the default, means never."""
    async with directory_of(lambda _: Probe([])) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(80_000)
        assert directory.live == 1


async def test_a_message_during_passivation_is_served_by_a_fresh_incarnation_in_order(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """While the old one still saves, messages wait; the new one begins when it is done, never two at once."""
    diary: list[str] = []

    async def save() -> None:
        await trio.sleep(2)
        diary.append("saved")

    observer = Recorder()
    async with directory_of(lambda _: Probe(diary, stopped=save), observer=observer, idle_after_s=4) as directory:
        await directory.ask("a", Note("a"), within=1)
        await trio.sleep(4.5)
        assert diary[-1] == "stopped"
        asker = asking(nursery, directory.ref("a"), Note("b"))
        await wait_all_tasks_blocked()
        for text in "cde":
            directory.tell("a", Note(text))
        assert directory.live == 1
        await trio.sleep(2.5)
        assert asker.result == "b"
        assert diary == ["started", "a", "stopped", "saved", "started", "b", "c", "d", "e"]
        assert observer.of("ended") == []


async def test_a_message_before_the_actor_hears_of_its_rest_keeps_it(autojump_clock: MockClock) -> None:
    """A used actor is not idle, though the sweep had it in hand already."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary)) as directory:
        await directory.ask("a", Note("a"), within=1)
        (cell,) = directory._cells.values()
        cell.rest()
        directory.tell("a", Note("b"))
        await wait_all_tasks_blocked()
        assert diary == ["started", "a", "b"]
        cell.rest()
        await wait_all_tasks_blocked()
        assert diary == ["started", "a", "b", "stopped"]


async def test_a_busy_actor_is_passivated_only_after_its_work(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A message longer than the idle time is finished and answered, and so is what waits behind it."""
    diary: list[str] = []
    async with directory_of(lambda _: Probe(diary), idle_after_s=4) as directory:
        asker = asking(nursery, directory.ref("a"), Slow("slow", 20))
        await wait_all_tasks_blocked()
        directory.tell("a", Note("b"))
        await trio.sleep(19)
        assert (directory.live, asker.at) == (1, None)
        await trio.sleep(10)
        assert (directory.live, asker.result) == (0, "slow")
    assert diary == ["started", "slow", "b", "stopped"]


async def test_an_actor_may_say_that_it_must_stay(autojump_clock: MockClock) -> None:
    """It is asked again after another idle time, not at every sweep."""
    asked_at: list[float] = []

    class Stubborn(Probe):
        def may_passivate(self) -> bool:
            asked_at.append(trio.current_time())
            return len(asked_at) == 3

    async with directory_of(lambda _: Stubborn([]), idle_after_s=4) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(100)
        assert directory.live == 0
    assert asked_at == [4, 8, 12]


async def test_a_failure_while_passivating_is_a_crash(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Asks that came meanwhile are released at once, tells are served by the next incarnation after the pause."""
    diary: list[str] = []
    fails = [True]

    async def save() -> None:
        await trio.sleep(2)
        if fails.pop() if fails else False:
            raise Broken("disk full")

    observer = Recorder()
    async with directory_of(lambda _: Probe(diary, stopped=save), observer=observer, idle_after_s=4) as directory:
        await directory.ask("a", Note("a"), within=1)
        await trio.sleep(4.5)
        assert diary[-1] == "stopped"
        asker = asking(nursery, directory.ref("a"), Note("b"))
        await wait_all_tasks_blocked()
        directory.tell("a", Note("c"))
        await trio.sleep(4)
        assert isinstance(asker.result, ActorCrashed)
        assert not asker.result.begun
        assert asker.at == 6
        assert diary == ["started", "a", "stopped", "started", "c"]
    assert [(str(error), delay) for _, _, error, delay in observer.of("crashed")] == [("disk full", 1)]


async def test_a_failure_while_passivating_with_nothing_waiting_ends_the_actor(autojump_clock: MockClock) -> None:
    """It is told to the observer, and the key is free again."""

    async def fail() -> None:
        raise Broken("disk full")

    observer = Recorder()
    async with directory_of(lambda _: Probe([], stopped=fail), observer=observer, idle_after_s=4) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(10)
        assert directory.live == 0
    assert [str(fault) for fault in observer.faults] == ["disk full"]
    assert observer.count("activated") == 1


async def test_who_crashed_while_its_rest_was_wanted_lives_again_and_is_asked_whether_it_may(
    autojump_clock: MockClock,
) -> None:
    """Others may rely on it without a message: what it works by alarms for would stand still."""

    class Relied(Probe):
        def may_passivate(self) -> bool:
            return False

    observer = Recorder()
    async with directory_of(lambda _: Relied([]), observer=observer) as directory:
        directory.tell("a", Crash("a"))
        await trio.sleep(0.5)  # the pause before it begins again
        (cell,) = directory._cells.values()
        cell.rest()
        await trio.sleep(5)
        assert directory.live == 1
    assert observer.count("activated") == 2


async def test_a_failure_in_may_passivate_is_a_crash(autojump_clock: MockClock) -> None:
    """It is the actor's own code too."""

    class Confused(Probe):
        def may_passivate(self) -> bool:
            raise Broken("who am I")

    observer = Recorder()
    async with directory_of(lambda _: Confused([]), observer=observer, idle_after_s=4) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(5)
        assert observer.delays == [1]


async def test_a_hanging_passivation_is_cut_off(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The message that came meanwhile is served after the bound."""
    observer = Recorder()
    options = CellOptions(stop_within_s=3)
    async with directory_of(
        lambda _: Probe([], stopped=trio.sleep_forever), observer=observer, idle_after_s=4, options=options
    ) as directory:
        await directory.ask("a", Note("a"), within=1)
        await trio.sleep(4.5)
        asker = asking(nursery, directory.ref("a"), Note("b"))
        await trio.sleep(5)
        assert (asker.result, asker.at) == ("b", 7)
        assert observer.of("stop_timed_out") == [("stop_timed_out", "all/a")]


async def test_stopping_during_passivation_waits_for_the_save(autojump_clock: MockClock) -> None:
    """And begins no new incarnation for what came meanwhile."""
    diary: list[str] = []

    async def save() -> None:
        await trio.sleep(2)
        diary.append("saved")

    observer = Recorder()
    async with directory_of(lambda _: Probe(diary, stopped=save), observer=observer, idle_after_s=4) as directory:
        directory.tell("a", Note("a"))
        await trio.sleep(4.5)
        directory.tell("a", Note("b"))
    assert diary == ["started", "a", "stopped", "saved"]
    assert trio.current_time() == 6
    assert observer.count("dropped") == 1


async def test_thousands_come_and_go_without_a_trace(autojump_clock: MockClock) -> None:
    """Nothing of a passivated actor stays behind, in the directory or in its nursery."""
    async with directory_of(lambda _: Probe([]), idle_after_s=4) as directory:
        before = trio.lowlevel.current_statistics().tasks_living
        for n in range(3000):
            directory.tell(str(n), Note("a"))
        await wait_all_tasks_blocked()
        assert directory.live == 3000
        await trio.sleep(10)
        assert directory.live == 0
        assert not directory._cells
        assert trio.lowlevel.current_statistics().tasks_living == before
