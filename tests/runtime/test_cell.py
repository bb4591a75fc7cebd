from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import Actor, ActorCrashed, ActorStopped, GaveUp
from actors.runtime.cell import TURN
from tests.runtime.probes import Broken, Call, Crash, No, Note, Probe, Recorder, Refuse, Slow, asking, solo


async def test_messages_are_served_one_at_a_time_in_order(autojump_clock: MockClock) -> None:
    """A slow message is finished before the next is begun."""
    diary: list[str] = []

    async def work(text: str) -> None:
        diary.append(f"{text} begins")
        await trio.sleep(1)
        diary.append(f"{text} ends")

    async with solo(lambda: Probe(diary)) as ref:
        for text in "ab":
            ref.tell(Call(partial(work, text)))
        assert await ref.ask(Note("c"), within=5) == "c"
    assert diary == ["started", "a begins", "a ends", "b begins", "b ends", "c", "stopped"]


async def test_a_refusal_keeps_the_actor(autojump_clock: MockClock) -> None:
    """For ask and tell alike a No is an answer: the same incarnation goes on."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        with pytest.raises(No, match="not today") as caught:
            await ref.ask(Refuse("not today"), within=1)
        assert caught.value.code == "NO"
        ref.tell(Refuse())
        assert await ref.ask(Note("a"), within=1) == "a"
    assert diary == ["started", "a", "stopped"]
    assert observer.seen == [("activated", "probe"), ("ended", "probe")]


@pytest.mark.parametrize("asked", [True, False])
async def test_a_failure_ends_the_incarnation(autojump_clock: MockClock, *, asked: bool) -> None:
    """For ask and tell alike the next message is served by a fresh incarnation, and nothing of the old one is saved."""
    diary: list[str] = []
    async with solo(lambda: Probe(diary)) as ref:
        if asked:
            with pytest.raises(ActorCrashed):
                await ref.ask(Crash(), within=1)
        else:
            ref.tell(Crash())
            await wait_all_tasks_blocked()
        assert await ref.ask(Note("a"), within=5) == "a"
    assert diary == ["started", "started", "a", "stopped"]


async def test_a_refusal_in_a_group_is_a_failure(autojump_clock: MockClock) -> None:
    """Only a Refusal raised alone says that nothing has happened."""

    async def refuse() -> None:
        raise No("no")

    async def group() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse)

    async with solo(lambda: Probe([])) as ref:
        with pytest.raises(ActorCrashed):
            await ref.ask(Call(group), within=1)


async def test_a_crash_releases_every_queued_ask(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """At once, not at their deadlines; each learns whether its own message was begun, and what went wrong."""
    diary: list[str] = []

    async def crash_late() -> None:
        await trio.sleep(1)
        raise Broken("late")

    async with solo(lambda: Probe(diary)) as ref:
        first = asking(nursery, ref, Call(crash_late))
        await wait_all_tasks_blocked()
        queued = [asking(nursery, ref, Note(str(n))) for n in range(50)]
        await trio.sleep(1.5)
        for asker in [first, *queued]:
            assert isinstance(asker.result, ActorCrashed)
            assert asker.at == 1
            assert str(asker.result.__cause__) == "late"
        assert first.result.begun
        assert not any(asker.result.begun for asker in queued)
        assert str(first.result) == "probe failed at this message"
        assert str(queued[0].result) == "probe failed before this message"
        assert len({id(asker.result) for asker in queued}) == 50  # each has an instance of its own
    assert diary == ["started"]


async def test_queued_tells_survive_a_crash(autojump_clock: MockClock) -> None:
    """They are served by the next incarnation, in order, after the pause; the one that crashed is not tried again."""
    diary: list[str] = []
    async with solo(lambda: Probe(diary)) as ref:
        for message in (Note("a"), Crash(), Note("b"), Note("c")):
            ref.tell(message)
        await trio.sleep(0.9)
        assert diary == ["started", "a"]
        await trio.sleep(0.2)
        assert diary == ["started", "a", "started", "b", "c"]


async def test_an_ask_during_the_pause_is_served_after_it(autojump_clock: MockClock) -> None:
    """The mailbox outlives the incarnations."""
    async with solo(lambda: Probe([])) as ref:
        ref.tell(Crash())
        await wait_all_tasks_blocked()
        assert await ref.ask(Note("a"), within=5) == "a"
        assert trio.current_time() == 1


async def test_a_failure_in_started_is_a_crash(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Those who wait are released, the pause follows, and a later incarnation may succeed; nothing is saved."""
    diary: list[str] = []
    errors = [Broken("first"), Broken("second")]

    async def fail() -> None:
        if errors:
            raise errors.pop(0)

    observer = Recorder()
    async with solo(lambda: Probe(diary, started=fail), observer=observer) as ref:
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Note("a"), within=1)
        assert not caught.value.begun
        await trio.sleep(2)  # the second failure
        assert await ref.ask(Note("b"), within=10) == "b"
    assert [str(fault) for fault in observer.faults] == ["first", "second"]
    assert diary == ["started", "started", "started", "b", "stopped"]


async def test_an_incarnation_that_cannot_be_made_is_a_crash(autojump_clock: MockClock) -> None:
    """A factory that fails costs one try, not the level above."""
    errors = [Broken("no memory")]

    def make() -> Actor:
        if errors:
            raise errors.pop()
        return Probe([])

    observer = Recorder()
    async with solo(make, observer=observer) as ref:
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Note("a"), within=1)
        assert str(caught.value.__cause__) == "no memory"
        assert await ref.ask(Note("b"), within=5) == "b"
    assert observer.delays == [1]


async def test_a_hanging_start_is_a_crash(autojump_clock: MockClock) -> None:
    """`started` has a bound; who waits is released when it is over."""
    observer = Recorder()
    async with solo(lambda: Probe([], started=trio.sleep_forever), observer=observer, start_within_s=3) as ref:
        with pytest.raises(ActorCrashed) as caught:
            await ref.ask(Note("a"), within=30)
        assert trio.current_time() == 3
        assert isinstance(caught.value.__cause__, trio.TooSlowError)


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


async def test_a_failure_in_stopped_is_a_crash_when_life_goes_on(
    autojump_clock: MockClock,
) -> None:
    """When the actor is being stopped it is only told to the observer."""
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


async def test_a_stop_that_fails_when_it_is_cut_off_tells_both(autojump_clock: MockClock) -> None:
    """The time-out and the failure that came of it are two facts."""
    observer = Recorder()

    async def fail() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise Broken("half written")

    async with solo(lambda: Probe([], stopped=fail), observer=observer) as ref:
        await ref.ask(Note("a"), within=1)
    assert [str(fault) for fault in observer.faults] == ["half written"]


async def test_cancellation_between_messages_saves(autojump_clock: MockClock) -> None:
    """The state is whole, so it may be kept, though everything round it is cancelled."""
    diary: list[str] = []

    async def save() -> None:
        await trio.sleep(1)
        diary.append("saved")

    with trio.move_on_after(1):
        async with solo(lambda: Probe(diary, stopped=save)) as ref:
            await ref.ask(Note("a"), within=1)
            await trio.sleep_forever()
    assert diary == ["started", "a", "stopped", "saved"]
    assert trio.current_time() == 2


async def test_a_failed_save_under_cancellation_is_told(autojump_clock: MockClock) -> None:
    """A cancellation must not hide that something could not be saved."""
    observer = Recorder()

    async def fail() -> None:
        raise Broken("disk full")

    with trio.move_on_after(1):
        async with solo(lambda: Probe([], stopped=fail), observer=observer) as ref:
            await ref.ask(Note("a"), within=1)
            await trio.sleep_forever()
    assert [(str(error), delay) for _, _, error, delay in observer.of("crashed")] == [("disk full", None)]


async def test_cancellation_within_a_message_does_not_save(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Half changed state is never saved, and the asker outside of the cancellation is released at once."""
    diary: list[str] = []
    with trio.move_on_after(1):
        async with solo(lambda: Probe(diary)) as ref:
            in_hand = asking(nursery, ref, Slow("slow", 10))
            await wait_all_tasks_blocked()
            queued = asking(nursery, ref, Note("a"))
            await trio.sleep_forever()
    await wait_all_tasks_blocked()
    assert diary == ["started", "slow"]
    for asker, begun in ((in_hand, True), (queued, False)):
        assert isinstance(asker.result, ActorStopped)
        assert (asker.result.begun, asker.at) == (begun, 1)


async def test_nothing_is_taken_while_a_cancelled_actor_saves(autojump_clock: MockClock) -> None:
    """To be cancelled is to be stopped: a message that nobody will serve is not accepted."""

    async def slowly() -> None:
        await trio.sleep(3)

    with trio.move_on_after(1):
        async with solo(lambda: Probe([], stopped=slowly)) as ref:
            await ref.ask(Note("a"), within=1)
            with trio.CancelScope(shield=True):  # others may leave more slowly than the actor
                await trio.sleep(2)
                with pytest.raises(ActorStopped):
                    ref.tell(Note("too late"))
    assert trio.current_time() == 4


async def test_cancellation_within_started_does_not_save(autojump_clock: MockClock) -> None:
    """What was not wholly loaded must not be written back."""
    diary: list[str] = []
    with trio.move_on_after(1):
        async with solo(lambda: Probe(diary, started=trio.sleep_forever)) as ref:
            ref.tell(Note("a"))
            await trio.sleep_forever()
    assert diary == ["started"]


async def test_two_crashes_and_a_cancel_at_once_lose_no_error(autojump_clock: MockClock) -> None:
    """Both failures leave the cell although it was cancelled in the same moment, and the observer has seen them."""
    observer = Recorder()
    with pytest.raises(ExceptionGroup) as caught:
        with trio.CancelScope() as scope:

            async def crash(text: str) -> None:
                try:
                    await trio.sleep_forever()
                finally:
                    raise Broken(text)

            async def two() -> None:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(crash, "one")
                    nursery.start_soon(crash, "two")
                    nursery.start_soon(trio.sleep_forever)

            async with solo(lambda: Probe([]), observer=observer) as ref:
                ref.tell(Call(two))
                await wait_all_tasks_blocked()
                scope.cancel()
                await trio.sleep_forever()
    assert sorted(leaves(caught.value)) == ["one", "two"]
    assert sorted(leaves(*observer.faults)) == ["one", "two"]
    assert observer.delays == [None]


def leaves(*errors: BaseException) -> list[str]:
    """The texts of all errors in all groups."""
    found = []
    for error in errors:
        found += leaves(*error.exceptions) if isinstance(error, BaseExceptionGroup) else [str(error)]
    return found


async def test_a_crash_during_a_cancellation_still_releases_the_asker(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Also when both come in one group."""

    async def both() -> None:
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise Broken("while leaving")

    with pytest.raises(ExceptionGroup):
        with trio.CancelScope() as scope:
            async with solo(lambda: Probe([])) as ref:
                in_hand = asking(nursery, ref, Call(both))
                await wait_all_tasks_blocked()
                queued = asking(nursery, ref, Note("a"))
                await wait_all_tasks_blocked()
                scope.cancel()
                await trio.sleep_forever()
    await wait_all_tasks_blocked()
    assert isinstance(in_hand.result, ActorCrashed)
    assert in_hand.result.begun
    assert isinstance(queued.result, ActorCrashed | ActorStopped)  # the crash and the end of the block are at once
    assert not queued.result.begun
    assert in_hand.at == queued.at == 0


async def test_an_interrupt_passes_through(autojump_clock: MockClock) -> None:
    """What is no ordinary failure is not restarted."""

    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(BaseExceptionGroup) as caught:
        async with solo(lambda: Probe([])) as ref:
            await ref.ask(Call(interrupt), within=1)
    assert caught.group_contains(KeyboardInterrupt)


async def test_an_actor_that_fails_too_often_gives_up(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The body is cancelled, GaveUp holds every failure, and who waits is released."""
    observer = Recorder()
    with pytest.raises(ExceptionGroup) as caught:
        async with solo(lambda: Probe([]), observer=observer) as ref:
            for n in range(6):
                ref.tell(Crash(str(n)))
            ref.tell(Note("never"))
            await trio.sleep_forever()
    (gave_up,) = caught.value.exceptions
    assert isinstance(gave_up, GaveUp)
    assert [str(error) for error in gave_up.exceptions] == list("012345")
    assert observer.delays == [1, 2, 4, 8, 8, None]
    assert trio.current_time() == 23
    assert observer.count("dropped") == 1
    with pytest.raises(ActorStopped):
        ref.tell(Note("a"))


async def test_one_task_serves_an_actor(autojump_clock: MockClock) -> None:
    """Every message, hook and incarnation runs in the same task."""
    tasks = []

    async def look() -> None:
        tasks.append(trio.lowlevel.current_task())

    async with solo(lambda: Probe([], started=look, stopped=look)) as ref:
        await ref.ask(Call(look), within=1)
        ref.tell(Crash())
        await wait_all_tasks_blocked()
        await ref.ask(Call(look), within=5)
    assert len(tasks) == 5
    assert len(set(tasks)) == 1


def longest_run(turns: list[int]) -> int:
    """How many messages were served in a row, between two looks of a neighbour.

    Trio runs the tasks of one round in any order, so two turns of one task may follow one another.
    """
    return max(later - earlier for earlier, later in pairwise(turns))


async def test_a_flooded_actor_lets_others_run(autojump_clock: MockClock) -> None:
    """Its own code has no checkpoint, and yet a neighbour gets its turns between the messages."""
    turns: list[int] = []
    served: list[str] = []

    async def neighbour() -> None:
        while True:
            turns.append(len(served))
            await trio.lowlevel.checkpoint()

    async with solo(lambda: Probe(served), capacity=1000) as ref, trio.open_nursery() as nursery:
        await ref.ask(Note("first"), within=1)
        for n in range(800):
            ref.tell(Note(str(n)))
        nursery.start_soon(neighbour)
        await ref.ask(Note("last"), within=1)
        nursery.cancel_scope.cancel()
    assert longest_run(turns) <= 2 * TURN
    assert len(turns) >= 800 / TURN


async def test_dropping_expired_messages_lets_others_run_too(autojump_clock: MockClock) -> None:
    """Clearing a long queue of dead messages is work like any other."""
    observer = Recorder()
    turns: list[int] = []

    async def neighbour() -> None:
        await trio.sleep_until(5)
        while observer.count("expired") < 400:
            turns.append(observer.count("expired"))
            await trio.lowlevel.checkpoint()

    async with solo(lambda: Probe([]), capacity=500, observer=observer) as ref:
        ref.tell(Slow("slow", 5))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(neighbour)
            for _ in range(400):
                asking(nursery, ref, Note("a"), within=1)
    assert longest_run(turns) <= 2 * TURN
