from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import ActorCrashed
from actors.runtime.cell import TURN
from tests.runtime.probes import Call, Crash, No, Note, Probe, Recorder, Refuse, Slow, asking, solo


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
