from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorStopped
from tests.runtime.probes import Broken, Note, Probe, Recorder, Slow, asking, solo


async def test_an_actor_lives_as_long_as_the_block(autojump_clock: MockClock) -> None:
    """It starts by itself, saves at the end, and takes nothing afterwards."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), observer=observer) as ref:
        await wait_all_tasks_blocked()
        assert diary == ["started"]
        assert await ref.ask(Note("a"), within=1) == "a"
    assert diary == ["started", "a", "stopped"]
    assert observer.seen == [("activated", "probe"), ("ended", "probe")]
    with pytest.raises(ActorStopped):
        ref.tell(Note("b"))


async def test_a_ref_shows_whom_it_reaches(autojump_clock: MockClock) -> None:
    """For the person at the debugger."""
    async with solo(lambda: Probe([])) as ref:
        assert repr(ref) == "<Ref probe>"


async def test_the_end_of_the_block_is_bounded(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A message that hangs is cancelled after twice the bound of the stop; its asker is released, nothing is saved."""
    diary: list[str] = []
    async with solo(lambda: Probe(diary), stop_within_s=4) as ref:
        asker = asking(nursery, ref, Slow("slow", 1000), within=2000)
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    assert (trio.current_time(), asker.at) == (8, 8)
    assert isinstance(asker.result, ActorStopped)
    assert diary == ["started", "slow"]


async def test_an_error_in_the_block_stops_the_actor_in_order(autojump_clock: MockClock) -> None:
    """It saves, and the error comes out in a group."""
    diary: list[str] = []
    with pytest.raises(ExceptionGroup) as caught:
        async with solo(lambda: Probe(diary)) as ref:
            await ref.ask(Note("a"), within=1)
            raise Broken("body")
    assert caught.group_contains(Broken, match="body")
    assert diary == ["started", "a", "stopped"]


async def test_an_error_of_the_block_survives_a_cancellation(autojump_clock: MockClock) -> None:
    """Both at once: the error is not replaced by the cancellation."""
    with pytest.raises(ExceptionGroup) as caught:
        with trio.CancelScope() as scope:
            async with solo(lambda: Probe([])) as ref:
                await ref.ask(Note("a"), within=1)
                scope.cancel()
                raise Broken("body")
    assert caught.group_contains(Broken, match="body")


async def test_an_observer_hears_of_a_mailbox_and_may_ask_what_waits_in_it(autojump_clock: MockClock) -> None:
    """As long as the actor is busy with one message the others wait."""
    observer = Watching()
    async with solo(lambda: Probe([]), observer=observer) as ref:
        for text in "abc":
            ref.tell(Slow(text, 5))
        await wait_all_tasks_blocked()
        [(name, waiting, capacity)] = observer.opened_ones
        assert ("probe", 2) == (name, waiting())
        assert capacity >= 3
        await trio.sleep(20)
        assert 0 == waiting()


class Watching(Recorder):
    """Keeps what it is told of mailboxes."""

    def __init__(self) -> None:
        super().__init__()
        self.opened_ones: list[tuple[str, Callable[[], int], int]] = []

    def opened(self, name: str, waiting: Callable[[], int], capacity: int) -> None:
        """See `Observer`."""
        self.opened_ones.append((name, waiting, capacity))
