from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed, ActorStopped, BatchActor, Request, current_deadline
from tests.runtime.probes import Crash, Holder, Note, Recorder, Slow, asking, directory_of, solo


async def test_everything_that_waits_is_taken_at_once(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """While one batch is worked on the next one gathers; a lone message does not wait for company."""
    holder = Holder()
    async with solo(lambda: holder) as ref:
        asking(nursery, ref, Slow("first", 5))
        await wait_all_tasks_blocked()
        for text in "abc":
            ref.tell(Note(text))
        assert trio.current_time() == 0
        await trio.sleep(6)
        ref.tell(Note("d"))
        await wait_all_tasks_blocked()
    assert holder.batches == [["first"], ["a", "b", "c"], ["d"]]


async def test_a_batch_is_no_larger_than_its_bound(autojump_clock: MockClock) -> None:
    """The rest follows in order."""
    holder = Holder(max_batch=3)
    async with solo(lambda: holder) as ref:
        for text in "abcdefg":
            ref.tell(Note(text))
        await wait_all_tasks_blocked()
    assert holder.batches == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


async def test_each_request_of_a_batch_gets_its_own_answer(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Answers go to those who asked, in whatever order they are settled."""
    holder = Holder()
    async with solo(lambda: holder) as ref:
        askers = [asking(nursery, ref, Note(text)) for text in "abc"]
        await wait_all_tasks_blocked()
        for request in reversed(holder.held):
            request.answer(request.message.text.upper())
        await wait_all_tasks_blocked()
    assert [asker.result for asker in askers] == ["A", "B", "C"]


async def test_a_crash_releases_what_was_handed_out_before(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Requests kept for later and those of the failing batch may have been begun; those in the mailbox were not."""
    holders: list[Holder] = []

    def make() -> Holder:
        holders.append(Holder(max_batch=2))
        return holders[-1]

    async with solo(make) as ref:
        kept = asking(nursery, ref, Note("kept"))
        await wait_all_tasks_blocked()
        ref.tell(Slow("slow", 1))
        await wait_all_tasks_blocked()
        ref.tell(Crash())
        beside = asking(nursery, ref, Note("beside"))
        await wait_all_tasks_blocked()
        queued = asking(nursery, ref, Note("queued"))
        ref.tell(Note("told"))
        await trio.sleep(1.5)
        for asker, begun in ((kept, True), (beside, True), (queued, False)):
            assert isinstance(asker.result, ActorCrashed)
            assert (asker.result.begun, asker.at) == (begun, 1)
        await trio.sleep(1)
        assert holders[1].batches == [["told"]]
        holders[0].held[0].answer("too late")  # by a task that outlived its incarnation: no harm
    assert holders[0].diary == []


async def test_stopping_releases_what_was_handed_out(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """The asker learns that its message may have been begun."""
    holder = Holder()
    async with solo(lambda: holder) as ref:
        kept = asking(nursery, ref, Note("kept"))
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    assert isinstance(kept.result, ActorStopped)
    assert kept.result.begun
    assert holder.diary == ["stopped"]


async def test_what_is_answered_while_stopping_is_an_answer(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Who hears nothing by then is released, also when the hook hangs."""

    class Late(Holder):
        async def stopped(self) -> None:
            self.held[0].answer("at last")
            await trio.sleep_forever()

    holder = Late()
    async with solo(lambda: holder, stop_within_s=3) as ref:
        first = asking(nursery, ref, Note("a"))
        await wait_all_tasks_blocked()
        second = asking(nursery, ref, Note("b"))
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    assert (first.result, first.at) == ("at last", 0)
    assert isinstance(second.result, ActorStopped)
    assert second.at == 3


async def test_a_batch_leaves_out_what_has_expired(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Dead messages are counted and not handed out; a batch of dead ones only is none."""
    holder = Holder(max_batch=2)
    observer = Recorder()
    async with solo(lambda: holder, observer=observer) as ref:
        ref.tell(Slow("slow", 5))
        await wait_all_tasks_blocked()
        for text in ("late 1", "late 2", "late 3"):
            asking(nursery, ref, Note(text), within=1)
        await wait_all_tasks_blocked()
        ref.tell(Note("alive"))
        await trio.sleep(6)
    assert holder.batches == [["slow"], ["alive"]]
    assert observer.count("expired") == 3


async def test_a_batch_lasts_as_long_as_its_most_patient_asker(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """What a batch asks of others is bounded by the latest of its deadlines, since somebody waits for it that long."""
    seen = []

    class Looker(BatchActor):
        async def receive_batch(self, requests: Sequence[Request]) -> None:
            seen.append(current_deadline())
            await trio.sleep(1)
            for request in requests:
                request.answer(None)

    async with solo(Looker) as ref:
        ref.tell(Note("a"))
        await wait_all_tasks_blocked()
        for within in (2, 7, 5):
            asking(nursery, ref, Note("a"), within=within)
        await trio.sleep(1.5)
    assert seen == [math.inf, 7]


async def test_an_actor_with_open_requests_is_not_passivated(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Not before each request that it was handed is settled or its asker has gone."""
    holder = Holder()
    async with directory_of(lambda _: holder, idle_after_s=4) as directory:
        kept = asking(nursery, directory.ref("a"), Note("kept"))
        await wait_all_tasks_blocked()
        gone = asking(nursery, directory.ref("a"), Note("gone"))
        await trio.sleep(10)
        assert (directory.live, kept.at) == (1, None)
        gone.scope.cancel()
        holder.held[0].answer("at last")
        await trio.sleep(10)
        assert (directory.live, kept.result) == (0, "at last")
    assert holder.diary == ["stopped"]


async def test_a_batch_actor_that_never_answers_releases_by_deadline(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Nobody hangs because an actor forgot; and what it forgot is not remembered for ever."""
    holder = Holder()
    async with solo(lambda: holder) as ref:
        forgotten = asking(nursery, ref, Note("a"), within=3)
        await trio.sleep(4)
        assert forgotten.at == 3
        assert not holder.held[0].open


@pytest.mark.parametrize("size", [1, 2000])
async def test_a_flood_is_served_in_few_batches(autojump_clock: MockClock, size: int) -> None:
    """A thousand at a time unless the actor says otherwise."""
    holder = Holder()
    async with solo(lambda: holder, capacity=2000) as ref:
        for n in range(size):
            ref.tell(Note(str(n)))
        await wait_all_tasks_blocked()
    assert [len(batch) for batch in holder.batches] == ([1] if size == 1 else [1000, 1000])
