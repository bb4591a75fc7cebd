from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorStopped, MailboxFull, Request
from actors.runtime.mailbox import Mailbox
from tests.runtime.probes import Note, Probe, Recorder, Slow, asking, solo


def mailbox(*texts: str, capacity: int = 10) -> Mailbox:
    """A mailbox with these messages in it."""
    box = Mailbox("box", capacity)
    for text in texts:
        box.put(Request(text))
    return box


def test_requests_are_taken_in_the_order_they_were_put() -> None:
    """Oldest first, at most as many as wanted, the rest stays."""
    box = mailbox("a", "b", "c")
    assert [request.message for request in box.take(2)] == ["a", "b"]
    assert [request.message for request in box.take(2)] == ["c"]
    assert box.take(2) == []


def test_a_full_mailbox_refuses_and_counts() -> None:
    """Nothing beyond the capacity is kept, and each refusal is counted."""
    box = mailbox("a", "b", capacity=2)
    for _ in range(3):
        with pytest.raises(MailboxFull, match="box has 2 messages waiting"):
            box.put(Request("c"))
    assert (len(box), box.refused) == (2, 3)


def test_a_closed_mailbox_takes_nothing() -> None:
    """Closed means that nobody will ever look."""
    box = mailbox()
    box.closed = True
    with pytest.raises(ActorStopped, match="box has stopped"):
        box.put(Request("a"))
    assert len(box) == 0


def test_dropping_keeps_the_order_of_the_others() -> None:
    """Only what is unwanted goes."""
    box = mailbox("a", "b", "c", "d")
    dropped = box.drop(lambda request: request.message in "bd")
    assert [request.message for request in dropped] == ["b", "d"]
    assert [request.message for request in box.take(9)] == ["a", "c"]


def test_a_mailbox_without_room_is_a_mistake() -> None:
    """A capacity below 1 is refused when it is made."""
    with pytest.raises(ValueError, match="box: a mailbox needs a capacity of at least 1, not 0"):
        Mailbox("box", 0)


def test_a_mailbox_shows_how_full_it_is() -> None:
    """For the person at the debugger."""
    box = mailbox("a")
    assert repr(box) == "<Mailbox box 1/10>"
    box.closed = True
    assert repr(box) == "<Mailbox box 1/10 closed>"


async def test_putting_wakes_the_one_who_waits(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """No put is overlooked by a waiting consumer, and several at once wake it once."""
    box = mailbox()
    woken = []

    async def consume() -> None:
        await box.wait()
        woken.append(len(box))

    nursery.start_soon(consume)
    await wait_all_tasks_blocked()
    box.put(Request("a"))
    box.put(Request("b"))
    await wait_all_tasks_blocked()
    assert woken == [2]


async def test_a_put_and_a_cancellation_at_once_lose_nothing(autojump_clock: MockClock) -> None:
    """Whichever comes first, the message is still in the mailbox and the next consumer sees it."""
    for cancel_first in (True, False):
        box = mailbox()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(box.wait)
            await wait_all_tasks_blocked()
            if cancel_first:
                nursery.cancel_scope.cancel()
                box.put(Request("a"))
            else:
                box.put(Request("a"))
                nursery.cancel_scope.cancel()
        assert [request.message for request in box.take(9)] == ["a"]


async def test_tell_never_waits_and_says_when_full(autojump_clock: MockClock) -> None:
    """A plain function: taken, or MailboxFull at once; the observer counts, and what was taken is served."""
    diary: list[str] = []
    observer = Recorder()
    async with solo(lambda: Probe(diary), capacity=3, observer=observer) as ref:
        ref.tell(Slow("slow", 10))
        await wait_all_tasks_blocked()
        for text in "abc":
            ref.tell(Note(text))
        for _ in range(2):
            with pytest.raises(MailboxFull):
                ref.tell(Note("d"))
        assert trio.current_time() == 0
        assert observer.of("mailbox_full") == [("mailbox_full", "probe")] * 2
        await trio.sleep(11)
    assert diary == ["started", "slow", "a", "b", "c", "stopped"]


async def test_ask_says_at_once_that_the_mailbox_is_full(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """An asker is not kept waiting for room."""
    observer = Recorder()
    async with solo(lambda: Probe([]), capacity=1, observer=observer) as ref:
        asking(nursery, ref, Slow("slow", 10))
        await wait_all_tasks_blocked()
        ref.tell(Note("a"))
        with pytest.raises(MailboxFull):
            await ref.ask(Note("b"), within=1)
        assert trio.current_time() == 0
        assert observer.count("mailbox_full") == 1
