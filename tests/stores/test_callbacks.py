"""What asyncio has to do is done in portions: not a callback a turn, and not all while others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import trio
import trio_asyncio

from scoreboard.stores.callbacks import run_in_portions

MOST = 10


class Turns(trio.abc.Instrument):
    """Counts the turns of Trio's loop."""

    def __init__(self) -> None:
        self.now = 0

    def after_io_wait(self, timeout: float) -> None:
        """Called once a turn."""
        self.now += 1


async def _steps(count: int) -> list[int]:
    """So many turns of asyncio, each a callback that the one before has asked for."""
    done = []
    for number in range(count):
        await asyncio.sleep(0)
        done.append(number)
    return done


@pytest.mark.parametrize(("steps", "least", "most"), [(MOST - 3, 1, 4), (5 * MOST, 5, 9)])
async def test_callbacks_take_a_turn_for_each_portion(steps: int, least: int, most: int) -> None:
    """Taken alone, as trio-asyncio does, these would be as many turns as steps; and others run between portions."""
    turns = Turns()
    async with trio_asyncio.open_loop() as loop:
        run_in_portions(loop, MOST)
        trio.lowlevel.add_instrument(turns)
        done = await loop.run_aio_coroutine(_steps(steps))
        trio.lowlevel.remove_instrument(turns)
    assert list(range(steps)) == done
    assert least <= turns.now <= most


async def test_all_that_was_asked_for_at_once_is_done_in_order_and_timers_when_they_are_due() -> None:
    """A portion ends nobody's turn: what is left comes in the next."""
    done: list[int] = []
    async with trio_asyncio.open_loop() as loop:
        run_in_portions(loop, MOST)

        async def ask() -> None:
            ended = asyncio.Event()
            asyncio.get_running_loop().call_later(0.01, ended.set)
            for number in range(3 * MOST):
                asyncio.get_running_loop().call_soon(done.append, number)
            await ended.wait()

        with trio.fail_after(10):
            await loop.run_aio_coroutine(ask())
    assert list(range(3 * MOST)) == done


async def test_a_callback_that_fails_is_told_and_those_behind_it_are_run() -> None:
    """Also in the middle of a portion."""
    told: list[str] = []
    done: list[int] = []

    def heard(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        told.append(str(context["exception"]))

    async with trio_asyncio.open_loop() as loop:
        run_in_portions(loop, MOST)
        loop.set_exception_handler(heard)
        loop.call_soon([].pop)
        loop.call_soon(done.append, 1)
        with trio.fail_after(10):
            await loop.run_aio_coroutine(_steps(1))
    assert (["pop from empty list"], [1]) == (told, done)


async def test_a_loop_that_is_left_does_what_was_asked_for_before() -> None:
    """Though it is told to end in the middle of a portion."""
    done: list[int] = []
    with trio.fail_after(10):
        async with trio_asyncio.open_loop() as loop:
            run_in_portions(loop, MOST)
            for number in range(3 * MOST + 1):
                loop.call_soon(done.append, number)
    assert list(range(3 * MOST + 1)) == done
