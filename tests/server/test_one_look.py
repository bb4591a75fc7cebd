from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock

from scoreboard.server.one_look import OneLook


@dataclass
class Thing:
    """What is looked at takes a third of a second to be seen; `looks` counts, `at_once` is the most at one moment."""

    looks: int = 0
    under_way: int = 0
    at_once: int = 0
    fails: bool = False

    async def look(self) -> int:
        """The number of the look."""
        self.looks += 1
        number, self.under_way = self.looks, self.under_way + 1
        self.at_once = max(self.at_once, self.under_way)
        try:
            await trio.sleep(1 / 3)
            if self.fails:
                raise ValueError(number)
        finally:
            self.under_way -= 1
        return number


async def crowd(thing: Thing, fresh_s: float, askers: int) -> list[int]:
    """So many ask within two seconds, evenly."""
    look, told = OneLook(thing.look, fresh_s), list[int]()

    async def ask(at: float) -> None:
        await trio.sleep(at)
        told.append(await look())

    async with trio.open_nursery() as nursery:
        for number in range(askers):
            nursery.start_soon(ask, 2 * number / askers)
    return told


async def test_a_crowd_has_one_look_a_second(autojump_clock: MockClock) -> None:
    """However many ask: what is looked at is asked twice in two seconds, once at a time."""
    thing = Thing()
    told = await crowd(thing, 1.0, 1000)
    assert (1000, 2, 1) == (len(told), thing.looks, thing.at_once)


async def test_nothing_from_before_the_question_is_told_if_that_is_not_wanted(autojump_clock: MockClock) -> None:
    """Who comes while somebody looks has the next look, with all others who came."""
    thing = Thing()
    look, told = OneLook(thing.look), dict[str, int]()

    async def ask(name: str, at: float) -> None:
        await trio.sleep(at)
        told[name] = await look()

    async with trio.open_nursery() as nursery:
        for name, at in (("first", 0.0), ("meanwhile", 0.1), ("too", 0.2), ("afterwards", 2.0)):
            nursery.start_soon(ask, name, at)
    assert {"first": 1, "meanwhile": 2, "too": 2, "afterwards": 3} == told


async def test_who_gives_up_keeps_nobody_waiting(autojump_clock: MockClock) -> None:
    """The look ends with the task that looked; the next one who waits begins another."""
    thing = Thing()
    look = OneLook(thing.look, 1.0)
    async with trio.open_nursery() as nursery:

        async def impatient() -> None:
            with trio.move_on_after(0.1):
                await look()

        nursery.start_soon(impatient)
        await trio.testing.wait_all_tasks_blocked()
        assert 2 == await look()
    assert "<OneLook, nobody looks>" == repr(look)


async def test_a_look_that_fails_is_told_to_who_looked_only(autojump_clock: MockClock) -> None:
    """Nothing of it is kept."""
    thing = Thing(fails=True)
    look = OneLook(thing.look, 1.0)
    with pytest.raises(ValueError, match="1"):
        await look()
    thing.fails = False
    assert 2 == await look()
