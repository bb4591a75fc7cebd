"""What all workers share, and what holds without it."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.limits.actor import LimitsActor, LimitsWorld
from actors.limits.limiter import Limiter
from actors.limits.messages import Attempt, Share
from actors.limits.windows import Windows
from actors.ports import Quota, StoreUnavailable, Taken, Wanted
from actors.runtime import Ref, running_actor
from tests.fakes import FakeSharedLimits

TWELVE = Quota(12)
SLOWED = Quota(2, longest_s=960)
AWAY = StoreUnavailable("away")
SHARED_S = 0.2  # so long after it is allowed the others have surely heard of it


@dataclass
class Worker:
    """One worker's limits."""

    ref: Ref
    limiter: Limiter
    windows: Windows
    missed: list[Exception] = field(default_factory=list)

    async def attempt(self, key: str = "a", quota: Quota = TWELVE) -> Taken:
        """One of what must never be too much."""
        (taken,) = await self.ref.ask(Attempt((Wanted(key, quota),)), within=5)
        return taken

    def allowed(self, times: int, key: str = "a", quota: Quota = TWELVE) -> int:
        """How many of so many at once."""
        return sum(self.limiter.take(key, quota).allowed for _ in range(times))


@asynccontextmanager
async def worker(shared: FakeSharedLimits) -> AsyncIterator[Worker]:
    """The limits of one worker."""
    windows, missed = Windows(), list[Exception]()
    world = LimitsWorld(shared, (windows,), Windows(), missed=missed.append)
    async with running_actor("limits", lambda: LimitsActor(world), rng=random.Random(1)) as ref:
        yield Worker(ref, Limiter(windows, ref), windows, missed)


# --- what is allowed at once, and shared a moment later ---


def test_who_shares_is_woken_once_and_not_with_each_request() -> None:
    """Until there is nothing left to tell."""
    told, windows = list[object](), Windows()
    limiter = Limiter(windows, Ref("sharing", lambda request: told.append(request.message)), lambda: 0.0)
    for _ in range(3):
        limiter.take("a", TWELVE)
        limiter.take_many("b", TWELVE, 2)
    assert [Share()] == told
    windows.untold(0.0, most=9)
    limiter.take("a", TWELVE)
    assert [Share()] * 2 == told


async def test_what_one_worker_has_allowed_the_others_have_not_left(autojump_clock: MockClock) -> None:
    """As soon as it is shared, and both have used some; until the minute is over."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        assert 7 == one.allowed(7)
        await trio.sleep(SHARED_S)
        assert 1 == two.allowed(1)
        await trio.sleep(SHARED_S)
        assert 4 == two.allowed(20)
        await trio.sleep(SHARED_S)
        one.allowed(1)
        await trio.sleep(60)
        assert 12 == one.allowed(20)


async def test_what_came_many_at_once_the_others_have_not_left_either(autojump_clock: MockClock) -> None:
    """As rows of a service that sends to several workers; fewer may fit."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        assert one.limiter.take_many("rows:arena", TWELVE, 7).allowed
        await trio.sleep(SHARED_S)
        assert two.limiter.take_many("rows:arena", TWELVE, 1).allowed
        await trio.sleep(SHARED_S)
        assert [False, True, False] == [two.limiter.take_many("rows:arena", TWELVE, n).allowed for n in (5, 4, 1)]
        await trio.sleep(SHARED_S)
        assert one.limiter.take_many("rows:arena", TWELVE, 1).allowed  # it has not heard of the four
        await trio.sleep(SHARED_S)
        assert [False] * 2 == [each.limiter.take_many("rows:arena", TWELVE, 1).allowed for each in (one, two)]
        await trio.sleep(60)
        assert one.limiter.take_many("rows:arena", TWELVE, 12).allowed


async def test_a_worker_allows_no_more_than_its_limit_while_nobody_hears_of_it(autojump_clock: MockClock) -> None:
    """That is all that two together can allow too much, and it is paid for: the next minute is two."""
    shared, quota = FakeSharedLimits(), Quota(12, longest_s=960)
    async with worker(shared) as one, worker(shared) as two:
        assert (12, 12) == (one.allowed(20, quota=quota), two.allowed(20, quota=quota))
        await trio.sleep(60)
        assert (12, 12) == (one.allowed(20, quota=quota), two.allowed(20, quota=quota))
        await trio.sleep(61)
        assert (0, 0) == (one.allowed(20, quota=quota), two.allowed(20, quota=quota))


async def test_nothing_is_waited_for(autojump_clock: MockClock) -> None:
    """Neither by who asks nor until it is shared: what comes within a tenth of a second is told in one go."""
    shared = FakeSharedLimits()
    async with worker(shared) as one:
        for key in "abc":
            one.allowed(2, key)
            await trio.sleep(0.02)
        assert 0 == shared.faults.calls
        await trio.sleep(SHARED_S)
        assert (1, [("a", 2), ("b", 2), ("c", 2)]) == (shared.faults.calls, [(e.key, e.count) for e in shared.counted])


async def test_who_waited_as_told_is_in_the_next_window_on_all_workers(autojump_clock: MockClock) -> None:
    """Although this was heard of a little earlier after its moment than the last."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        assert 12 == one.allowed(12)
        await trio.sleep(60)
        assert 12 == two.allowed(12)
        await trio.sleep(SHARED_S)
    assert 1 == len({each.quota for each in shared.counted})
    assert [12, 12] == [each.count for each in shared.counted]
    async with worker(shared) as three:
        three.allowed(1)
        await trio.sleep(SHARED_S)
        assert 0 == three.allowed(1)


async def test_a_flood_is_told_of_once(autojump_clock: MockClock) -> None:
    """Who is refused here costs the others nothing."""
    shared = FakeSharedLimits()
    async with worker(shared) as one:
        for _ in range(50):
            one.allowed(20)
            await trio.sleep(SHARED_S)
    assert [(12, True)] == [(each.count, each.refused) for each in shared.counted]


async def test_who_is_refused_by_one_worker_waits_longer_on_all(autojump_clock: MockClock) -> None:
    """Also where this worker's own window refused, and the others had never been asked."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        assert 2 == one.allowed(3, quota=SLOWED)
        await trio.sleep(60)
        assert 2 == one.allowed(3, quota=SLOWED)
        await trio.sleep(60)
        assert 0 == one.allowed(1, quota=SLOWED)
        two.allowed(1, quota=SLOWED)
        await trio.sleep(SHARED_S)
        assert 0 == two.allowed(1, quota=SLOWED)
        assert 50 < two.limiter.look("a", SLOWED).reset_s < 61


async def test_without_redis_each_worker_keeps_its_own_window(autojump_clock: MockClock) -> None:
    """Nobody is refused for it, nobody waits for it again and again, and what it missed it hears when it is back."""
    shared = FakeSharedLimits()
    shared.faults.fail_before(*[AWAY] * 3)
    async with worker(shared) as one, worker(shared) as two:
        assert 11 == one.allowed(11)
        await trio.sleep(0.9)
        assert (1, [AWAY]) == (shared.faults.calls, one.missed)
        await trio.sleep(4)
        two.allowed(1)
        await trio.sleep(SHARED_S)
        assert 0 == two.allowed(1)


async def test_a_redis_that_is_away_is_asked_once_and_then_left_in_peace(autojump_clock: MockClock) -> None:
    """However many kinds of limits have something to tell."""
    shared, kinds = FakeSharedLimits(), (Windows(), Windows())
    shared.faults.fail_before(AWAY)
    world = LimitsWorld(shared, kinds, Windows())
    async with running_actor("limits", lambda: LimitsActor(world), rng=random.Random(1)) as ref:
        for windows in kinds:
            Limiter(windows, ref).take("a", TWELVE)
        await trio.sleep(0.9)
        assert 1 == shared.faults.calls
        await trio.sleep(1)
        assert ([1, 1], 3) == ([each.count for each in shared.counted], shared.faults.calls)


async def test_a_redis_that_is_stuck_hears_of_nothing_twice(autojump_clock: MockClock) -> None:
    """What it was told may yet count."""
    shared = FakeSharedLimits()
    opened = shared.faults.hold()
    async with worker(shared) as one:
        one.allowed(2)
        await trio.sleep(0.5)
        assert (1, 1) == (shared.faults.calls, len(one.missed))
        opened.set()
        one.allowed(1)
        await trio.sleep(2)
        assert [1] == [each.count for each in shared.counted]


async def test_what_was_not_told_outlives_a_crash(autojump_clock: MockClock) -> None:
    """Of the one who tells; only what it had in hand is lost."""
    shared = FakeSharedLimits()
    shared.faults.delay_s = 0.1
    shared.faults.fail_before(RuntimeError("a mistake"))
    async with worker(shared) as one:
        one.allowed(3)
        await trio.sleep(0.15)
        one.allowed(2)
        await trio.sleep(5)
        assert [2] == [each.count for each in shared.counted]
        assert 7 == one.allowed(20)


async def test_a_crash_before_anything_was_told_loses_nothing(autojump_clock: MockClock) -> None:
    """The next life tells it."""
    shared = FakeSharedLimits()
    async with worker(shared) as one:
        one.allowed(3)
        await wait_all_tasks_blocked()
        one.ref.tell("nonsense")
        await trio.sleep(5)
        assert [3] == [each.count for each in shared.counted]


async def test_no_more_keys_are_told_in_one_go_than_a_script_should_count(autojump_clock: MockClock) -> None:
    """The others are next."""
    shared = FakeSharedLimits()
    async with worker(shared) as one:
        for number in range(1200):
            one.allowed(1, f"{number}")
        await trio.sleep(1)
        assert (3, 1200) == (shared.faults.calls, len(shared.counted))


# --- what must never be too much ---


async def test_going_to_another_worker_gains_not_one_attempt(autojump_clock: MockClock) -> None:
    """What one has allowed the other has not left."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        told = [await each.attempt() for _ in range(7) for each in (one, two)]
    assert [True] * 12 + [False] * 2 == [taken.allowed for taken in told]
    assert [11, 10, 9] == [taken.remaining for taken in told[:3]]


async def test_all_who_attempt_are_asked_for_in_one_go(autojump_clock: MockClock) -> None:
    """While one question is under way; each hears of its own."""
    shared, told = FakeSharedLimits(), dict[str, int]()
    shared.faults.delay_s = 0.1

    async def ask(key: str) -> None:
        told[key] = (await one.attempt(key)).remaining

    async with worker(shared) as one, trio.open_nursery() as nursery:
        nursery.start_soon(ask, "a")
        await wait_all_tasks_blocked()
        for key in "bcdef":
            nursery.start_soon(ask, key)
    assert (2, dict.fromkeys("abcdef", 11)) == (shared.faults.calls, told)


async def test_who_is_refused_an_attempt_costs_the_others_nothing(autojump_clock: MockClock) -> None:
    """A flood ends in this worker, also one that was refused because of what others have allowed."""
    shared = FakeSharedLimits()
    async with worker(shared) as one, worker(shared) as two:
        for _ in range(13):
            await one.attempt()
        assert not (await two.attempt()).allowed
        await trio.sleep(SHARED_S)
        asked = shared.faults.calls
        assert {False} == {(await each.attempt()).allowed for _ in range(50) for each in (one, two)}
    assert asked == shared.faults.calls


async def test_who_is_refused_one_of_what_an_attempt_needs_is_refused_it_here(autojump_clock: MockClock) -> None:
    """An address that is free does not help an account that is guessed at; who asks beside them hears of its own."""
    shared, one_only, told = FakeSharedLimits(), Quota(1), dict[str, list[bool]]()
    shared.faults.delay_s = 0.1

    async def ask(name: str, *keys: str) -> None:
        told[name] = [
            each.allowed for each in await one.ref.ask(Attempt(tuple(Wanted(k, one_only) for k in keys)), within=5)
        ]

    async with worker(shared) as one:
        await ask("first", "account")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "busy", "busy")
            await wait_all_tasks_blocked()
            nursery.start_soon(ask, "guesses", "account", "address")
            nursery.start_soon(ask, "honest", "other")
        assert {"first": [True], "busy": [True], "guesses": [False, True], "honest": [True]} == told
    assert ["account", "busy", "other"] == [each.key for each in shared.counted if not each.refused]


async def test_a_worker_alone_says_what_is_left_of_its_part(autojump_clock: MockClock) -> None:
    """A quarter, at least one; who has used it up has none left, and never fewer."""
    shared = FakeSharedLimits()
    shared.faults.hold()
    async with worker(shared) as one:
        told = [await one.attempt("a", Quota(8)) for _ in range(3)]
        assert [(2, 1, True), (2, 0, True), (2, 0, False)] == [(e.limit, e.remaining, e.allowed) for e in told]
        told = [await one.attempt("b", Quota(3)) for _ in range(2)]
        assert [(1, 0, True), (1, 0, False)] == [(each.limit, each.remaining, each.allowed) for each in told]


async def test_nothing_wakes_who_has_nothing_to_tell(autojump_clock: MockClock) -> None:
    """A server where nobody plays sleeps. What is no question of limits is a mistake of ours."""
    limits = LimitsActor(LimitsWorld(FakeSharedLimits(), (Windows(),), Windows()))
    await limits.started()
    assert math.inf == limits.wake_at
    with pytest.raises(TypeError):
        await limits.receive_batch([_Odd()])  # type: ignore[list-item]


class _Odd:
    message = "nonsense"


async def test_an_attempt_does_not_wait_for_a_redis_that_is_stuck(autojump_clock: MockClock) -> None:
    """A quarter of a second, once, and not for each who asks."""
    shared = FakeSharedLimits()
    shared.faults.hold()
    began = trio.current_time()
    async with worker(shared) as one:
        assert [True] * 3 + [False] * 2 == [(await one.attempt()).allowed for _ in range(5)]
        assert 0.25 <= trio.current_time() - began < 0.26


async def test_attempts_never_fail_open(autojump_clock: MockClock) -> None:
    """Alone a worker allows its part of them only; with the others all."""
    shared = FakeSharedLimits()
    shared.faults.fail_before(AWAY)
    async with worker(shared) as one:
        assert [True] * 3 + [False] * 2 == [(await one.attempt()).allowed for _ in range(5)]
        await trio.sleep(60)
        assert [True] * 12 + [False] == [(await one.attempt()).allowed for _ in range(13)]
