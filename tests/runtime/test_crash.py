from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import Actor, ActorCrashed, ActorStopped, GaveUp
from tests.runtime.probes import Broken, Call, Crash, Note, Probe, Recorder, asking, solo


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
