from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.runtime import (
    Actor,
    ActorCrashed,
    AskTimeout,
    BatchActor,
    CellOptions,
    MailboxFull,
    Question,
    Ref,
    Request,
    running_actor,
)


class Sum(Question[int]):
    """What do these make?"""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers


class Adder(Actor):
    async def receive(self, message: Any) -> int:
        if not message:
            raise ZeroDivisionError
        await trio.sleep(1)
        return sum(message)


class Clerk(BatchActor):
    """Hands every question on."""

    def __init__(self, adder: Ref) -> None:
        self._adder = adder

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        for request in requests:
            try:
                self._adder.forward(request, request.message.numbers)
            except MailboxFull as full:
                request.fail(full)


async def test_what_is_handed_on_is_answered_by_the_other(autojump_clock: MockClock) -> None:
    """Who asks does not notice; the one in between is free at once."""
    rng = random.Random(0)
    async with running_actor("adder", Adder, rng=rng) as adder:
        async with running_actor("clerk", lambda: Clerk(adder), rng=rng) as clerk:
            assert 5 == await clerk.ask(Sum(2, 3), within=5)
            with pytest.raises(ActorCrashed, match="adder failed at this message"):
                await clerk.ask(Sum(), within=5)


async def test_the_deadline_goes_along(autojump_clock: MockClock) -> None:
    """What nobody waits for any more is not begun there either."""
    rng = random.Random(0)
    async with running_actor("adder", Adder, rng=rng) as adder:
        async with running_actor("clerk", lambda: Clerk(adder), rng=rng) as clerk:
            with pytest.raises(AskTimeout):
                await clerk.ask(Sum(1), within=0.5)
            assert 0.5 == trio.current_time()


async def test_what_the_other_does_not_take_is_still_in_hand(autojump_clock: MockClock) -> None:
    """With its own message, for the one in between to refuse."""
    rng = random.Random(0)
    async with running_actor("adder", Adder, rng=rng, options=CellOptions(capacity=1)) as adder:
        async with running_actor("clerk", lambda: Clerk(adder), rng=rng) as clerk, trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(lambda: clerk.ask(Sum(1), within=9))
                await trio.testing.wait_all_tasks_blocked()
            request = Request.question(Sum(7), within=9)
            clerk._deliver(request)
            with pytest.raises(MailboxFull):
                await request.wait()
            assert (7,) == request.message.numbers
