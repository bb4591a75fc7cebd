"""Workers that cannot be started, as where there are no more processes or no memory, under a virtual clock."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from scoreboard.server.crew.errors import NotReady
from scoreboard.server.crew.life import Life
from scoreboard.server.crew.line import READY
from tests.server.crew.test_crew import PlayedWorker, Stage, played

NO_MORE = OSError("no more processes")


async def test_a_worker_that_cannot_be_started_is_tried_again_after_pauses_that_grow(autojump_clock: MockClock) -> None:
    """As one that ended; it is told why, and the other one goes on."""
    tries: list[float] = []

    def make(number: int, _count: int) -> PlayedWorker:
        if number == 1 and len(tries) < 3:
            tries.append(trio.current_time())
            raise NO_MORE
        return PlayedWorker(number)

    stage = Stage(make)
    async with stage.running():
        other = await stage.let_in(2)
        await trio.sleep(1)
        await stage.let_in(1)
        slot = stage.crew.slots[1]
        assert ("ready", 3, False) == (slot.state, slot.failures, other.is_over)
    assert [0.0, 0.1, 0.3] == pytest.approx([at - tries[0] for at in tries])
    told = [(line["worker"], line["reason"], line["serving"]) for line in stage.said("worker_failed")]
    why = "worker 1 could not be started: no more processes"
    assert [(1, why, 0), (1, why, 1), (1, why, 1)] == told


async def test_a_successor_that_cannot_be_started_changes_nothing(autojump_clock: MockClock) -> None:
    """It is told at once why; the present one has its place."""

    def make(number: int, count: int) -> PlayedWorker:
        if count:
            raise NO_MORE
        return PlayedWorker(number)

    stage = Stage(make)
    async with stage.running():
        old, slot = await stage.let_in(1), stage.crew.slots[1]
        with pytest.raises(NotReady, match=r"^it could not be started: no more processes$"):
            await stage.crew.bring_successor(1, 60)
        assert slot.life is not None
        assert (old, "ready", None, []) == (slot.life.worker, slot.state, slot.coming, old.told)


async def test_who_waits_for_a_successor_waits_no_longer_than_it_takes(autojump_clock: MockClock) -> None:
    """Then its number is served, also while the one before sees its clients off."""
    stage, states = Stage(played), list[str]()
    async with stage.running() as nursery:
        old, slot, began = await stage.let_in(1), stage.crew.slots[1], trio.current_time()

        async def is_ready_soon() -> None:
            await trio.sleep(3)
            stage.last(1).line.say(READY)

        async def takes_its_time(_life: Life) -> bool:
            nursery.start_soon(ends_later)
            return True

        async def ends_later() -> None:
            await trio.sleep(5)
            states.append(slot.state)
            old.end(0)

        nursery.start_soon(is_ready_soon)
        await stage.crew.bring_successor(1, 60)
        assert 3 == trio.current_time() - began
        await stage.crew.let_predecessor_go(1, takes_its_time, 20)
        assert (8, ["ready"]) == (trio.current_time() - began, states)
