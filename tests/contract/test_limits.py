"""Limits over all workers."""

from __future__ import annotations

import trio
import trio.lowlevel

from actors.ports import Quota, Taken, Wanted
from tests.contract.making import World

BRIEF = Quota(2, period_s=0.05, longest_s=0.2)


async def refused(world: World, quota: Quota) -> float:
    """Ask until it is allowed, and until it is refused; how long the wait is then."""

    async def taken() -> Taken:
        return (await world.limits.take([Wanted("c", quota)]))[0]

    while not (await taken()).allowed:
        await trio.lowlevel.checkpoint()
    while (last := await taken()).allowed:
        pass
    return last.reset_s


async def test_each_of_many_is_counted_in_the_order_asked(world: World) -> None:
    """Also the same key more than once; other keys know nothing of it."""
    two = Quota(2)
    wanted = [Wanted("address:192.0.2.1", two)] * 3 + [Wanted("tokens:somebody", Quota(5))]
    told = await world.limits.take(wanted)
    assert [(2, 1, True), (2, 0, True), (2, 0, False), (5, 4, True)] == [
        (taken.limit, taken.remaining, taken.allowed) for taken in told
    ]
    assert all(59 < taken.reset_s <= 60 for taken in told)
    assert [False] == [taken.allowed for taken in await world.limits.take(wanted[:1])]


async def test_a_window_ends_and_the_next_violation_is_paid_for_twice(world: World) -> None:
    """Never longer than the most."""
    waits = [await refused(world, BRIEF) for _ in range(4)]
    assert waits[0] <= 0.05 < waits[1] <= 0.1 < waits[2] <= 0.2
    assert 0.1 < waits[3] <= 0.2


async def test_a_lowered_limit_holds_at_once(world: World) -> None:
    """Of what was used before."""
    [*_, last] = await world.limits.take([Wanted("d", Quota(5))] * 4)
    [lowered] = await world.limits.take([Wanted("d", Quota(1))])
    assert (True, False) == (last.allowed, lowered.allowed)


async def test_what_was_allowed_already_counts_whatever_it_is(world: World) -> None:
    """Many of one key at once, and from the moment on at which the first was; also beyond the limit."""
    [told, beyond] = await world.limits.take(
        [Wanted("e", Quota(5), count=4, ago_s=20), Wanted("f", Quota(5), count=9, ago_s=0)]
    )
    assert ((5, 1, True), (5, 0, False)) == (
        (told.limit, told.remaining, told.allowed),
        (beyond.limit, beyond.remaining, beyond.allowed),
    )
    assert 39 < told.reset_s <= 40


async def test_a_refusal_elsewhere_is_a_violation(world: World) -> None:
    """Also if nothing here was ever used; once in a window, and paid for in the next one."""
    slowed = Quota(2, period_s=0.05, longest_s=10)
    waits = []
    for _ in range(3):
        told = await world.limits.take([Wanted("g", slowed, count=0, refused=True)] * 2)
        assert [(2, True)] * 2 == [(each.remaining, each.allowed) for each in told]
        waits.append(told[1].reset_s)
        left_s = waits[-1]
        while (now := (await world.limits.take([Wanted("g", slowed, count=0)]))[0]).reset_s <= left_s:
            left_s = now.reset_s
    assert waits[0] <= 0.05 < waits[1] <= 0.1 < waits[2] <= 0.2


async def test_a_window_that_is_as_good_as_over_is_over(world: World) -> None:
    """A two-hundredth before its end: who waited as told is counted in the next one."""
    quota = Quota(1, period_s=1000)
    [_, again] = await world.limits.take([Wanted("h", quota, ago_s=994), Wanted("h", quota)])
    assert not again.allowed
    assert 5 < again.reset_s <= 6
    [_, fresh] = await world.limits.take([Wanted("i", quota, ago_s=996), Wanted("i", quota)])
    assert (0, True) == (fresh.remaining, fresh.allowed)
    assert 999 < fresh.reset_s <= 1000
