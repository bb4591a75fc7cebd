"""What all workers share, and what holds without it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.limits.actor import LimitsActor, LimitsWorld
from actors.limits.messages import Take
from actors.ports import Quota, StoreUnavailable, Taken, Wanted
from actors.runtime import Ref, running_actor
from tests.fakes import FakeSharedLimits

TWELVE = Quota(12)
AWAY = StoreUnavailable("away")


@asynccontextmanager
async def worker(shared: FakeSharedLimits, missed: list[Exception] | None = None) -> AsyncIterator[Ref]:
    """The limits of one worker."""
    world = LimitsWorld(shared, missed=(missed if missed is not None else []).append)
    async with running_actor("limits", lambda: LimitsActor(world), rng=random.Random(1)) as ref:
        yield ref


async def take(ref: Ref, key: str = "a", quota: Quota = TWELVE, *, strict: bool = False) -> Taken:
    """One more."""
    (taken,) = await ref.ask(Take((Wanted(key, quota),), strict), within=5)
    return taken


async def test_going_to_another_worker_gains_nothing(autojump_clock: MockClock) -> None:
    """What one has allowed the other has not left."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        told = [await take(ref) for _ in range(7) for ref in (one, two)]
    assert [True] * 12 + [False] * 2 == [taken.allowed for taken in told]
    assert [11, 10, 9] == [taken.remaining for taken in told[:3]]


async def test_all_who_wait_are_asked_for_in_one_go(autojump_clock: MockClock) -> None:
    """While one question is under way; each hears of its own."""
    shared, told = FakeSharedLimits(), dict[str, int]()

    async def ask(key: str) -> None:
        told[key] = (await take(ref, key)).remaining

    shared.faults.delay_s = 0.1
    async with worker(shared) as ref, trio.open_nursery() as nursery:
        nursery.start_soon(ask, "a")
        await wait_all_tasks_blocked()
        for key in "bcdef":
            nursery.start_soon(ask, key)
    assert (2, dict.fromkeys("abcdef", 11)) == (shared.faults.calls, told)


async def test_who_is_refused_costs_the_others_nothing(autojump_clock: MockClock) -> None:
    """A flood ends in this worker, also one that was refused because of what others have allowed."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        for _ in range(13):
            await take(one)
        assert not (await take(two)).allowed
        asked = shared.faults.calls
        assert {False} == {(await take(ref)).allowed for _ in range(50) for ref in (one, two)}
    assert asked == shared.faults.calls


async def test_without_redis_each_worker_keeps_its_own_window(autojump_clock: MockClock) -> None:
    """Nobody is refused for it, nobody waits for it again and again, and the limit holds here."""
    shared, missed = FakeSharedLimits(), list[Exception]()
    shared.faults.fail_before(*[AWAY] * 100)
    async with worker(shared, missed) as ref:
        assert [True] * 12 + [False] == [(await take(ref)).allowed for _ in range(13)]
        assert (1, [AWAY]) == (shared.faults.calls, missed)
        await trio.sleep(1)
        await take(ref, "b")
    assert 2 == shared.faults.calls


async def test_a_redis_that_is_stuck_is_not_waited_for(autojump_clock: MockClock) -> None:
    """A quarter of a second, once, and not for each who asks."""
    shared = FakeSharedLimits()
    shared.faults.hold()
    began = trio.current_time()
    async with worker(shared) as ref:
        assert [True] * 5 == [(await take(ref)).allowed for _ in range(5)]
        assert 0.25 <= trio.current_time() - began < 0.26


async def test_what_is_strict_never_fails_open(autojump_clock: MockClock) -> None:
    """Alone a worker allows its part of it only; with the others all."""
    shared = FakeSharedLimits()
    shared.faults.fail_before(AWAY)
    async with worker(shared) as ref:
        assert [True] * 3 + [False] * 2 == [(await take(ref, strict=True)).allowed for _ in range(5)]
        await trio.sleep(60)
        assert [True] * 12 + [False] == [(await take(ref, strict=True)).allowed for _ in range(13)]
