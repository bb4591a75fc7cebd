from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, ActorStopped
from tests.runtime.probes import Broken, Call, Crash, Note, Probe, Recorder, Slow, asking, solo


async def test_stopping_finishes_the_message_in_hand_and_releases_the_others(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """The begun message is answered; who waits behind it hears ActorStopped at once, not when that is done."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        in_hand = asking(nursery, ref, Slow("slow", 3))
        await wait_all_tasks_blocked()
        queued = [asking(nursery, ref, Note(str(n))) for n in range(20)]
        await wait_all_tasks_blocked()
        ref.tell(Note("told"))
    await wait_all_tasks_blocked()
    assert (in_hand.result, in_hand.at) == ("slow", 3)
    for asker in queued:
        assert isinstance(asker.result, ActorStopped)
        assert (str(asker.result), asker.result.begun, asker.at) == ("probe has stopped", False, 0)
    assert observer.of("dropped") == [("dropped", "probe")]  # the tell, which has nobody to be told to
    assert diary == ["started", "slow", "stopped"]


async def test_a_stopped_actor_takes_nothing(autojump_clock: MockClock) -> None:
    """Neither while it still works on its last message, nor later."""
    async with trio.open_nursery() as nursery:
        async with solo(lambda: Probe([])) as ref:
            ref.tell(Slow("slow", 3))
            await wait_all_tasks_blocked()

            async def too_late(at: float) -> None:
                await trio.sleep(at)
                with pytest.raises(ActorStopped, match="probe has stopped"):
                    ref.tell(Note("a"))

            nursery.start_soon(too_late, 1)
            nursery.start_soon(too_late, 100)


async def test_a_failure_while_stopping_starts_nothing_anew(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The asker is released and the observer hears of it, without a next time."""
    diary: list[str] = []
    observer = Recorder()

    async def crash_late() -> None:
        await trio.sleep(2)
        raise Broken("late")

    async with solo(lambda: Probe(diary), observer=observer) as ref:
        asker = asking(nursery, ref, Call(crash_late))
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    assert isinstance(asker.result, ActorCrashed)
    assert trio.current_time() == 2
    assert observer.delays == [None]
    assert diary == ["started"]


async def test_stopping_cuts_the_pause_before_a_restart(autojump_clock: MockClock) -> None:
    """Nobody waits for a pause whose end nobody needs."""
    diary: list[str] = []
    async with solo(lambda: Probe(diary)) as ref:
        ref.tell(Crash())
        await trio.sleep(0.5)
    assert trio.current_time() == 0.5
    assert diary == ["started"]


async def test_stopping_before_the_start_begins_nothing(autojump_clock: MockClock) -> None:
    """An actor that was never needed is not made."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer):
        pass
    assert diary == []
    assert observer.seen == [("ended", "probe")]


async def test_a_failure_in_stopped_is_told_when_there_is_no_next_life(
    autojump_clock: MockClock,
) -> None:
    """Only the observer hears of it; the end of the block is no error."""
    observer = Recorder()

    async def fail() -> None:
        raise Broken("disk full")

    async with solo(lambda: Probe([], stopped=fail), observer=observer) as ref:
        await ref.ask(Note("a"), within=1)
    assert [(str(error), delay) for _, _, error, delay in observer.of("crashed")] == [("disk full", None)]
    assert observer.seen[-1] == ("ended", "probe")


async def test_a_hanging_stop_is_bounded(autojump_clock: MockClock) -> None:
    """`stopped` is cut off after its bound, and the observer hears of it."""
    observer = Recorder()
    async with solo(lambda: Probe([], stopped=trio.sleep_forever), observer=observer, stop_within_s=4) as ref:
        await ref.ask(Note("a"), within=1)
    assert trio.current_time() == 4
    assert observer.seen[-2:] == [("stop_timed_out", "probe"), ("ended", "probe")]


async def test_a_hanging_stop_is_bounded_under_cancellation(autojump_clock: MockClock) -> None:
    """The shield that lets an actor save has an end too."""
    observer = Recorder()
    with trio.move_on_after(1) as scope:
        async with solo(lambda: Probe([], stopped=trio.sleep_forever), observer=observer, stop_within_s=4) as ref:
            await ref.ask(Note("a"), within=1)
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == 5
    assert observer.count("stop_timed_out") == 1


async def test_a_stop_that_fails_when_it_is_cut_off_is_told(autojump_clock: MockClock) -> None:
    """A failure in its last moment is not lost in the time-out."""
    observer = Recorder()

    async def fail() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise Broken("half written")

    async with solo(lambda: Probe([], stopped=fail), observer=observer) as ref:
        await ref.ask(Note("a"), within=1)
    assert [str(fault) for fault in observer.faults] == ["half written"]
