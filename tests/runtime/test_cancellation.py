from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, ActorStopped
from tests.runtime.probes import Broken, Call, Note, Probe, Recorder, Slow, asking, solo


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
