"""Workers that an operator lets go and brings back, under a virtual clock; the workers are played."""

from __future__ import annotations

import signal

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.server.crew.life import Life
from tests.server.crew.test_crew import PlayedWorker, Stage, played


async def refuses(_life: Life) -> bool:
    """It is too busy to be asked."""
    return False


async def test_a_worker_that_was_let_go_stays_away_until_it_is_wanted_again(autojump_clock: MockClock) -> None:
    """It is asked to see its clients off, which takes its time; that is no failure, and the other one goes on."""
    stage = Stage(played)
    async with stage.running() as nursery:
        old, other = await stage.let_in(1), await stage.let_in(2)
        slot = stage.crew.slots[1]

        async def sees_its_clients_off(_life: Life) -> bool:
            nursery.start_soon(ends_later)
            return True

        async def ends_later() -> None:
            assert "draining" == slot.state
            await trio.sleep(7)
            old.end(0)

        began = trio.current_time()
        await stage.crew.let_go(1, sees_its_clients_off, within_s=20)
        assert (7, "away", None) == (trio.current_time() - began, slot.state, slot.pid)
        await stage.crew.let_go(1, refuses, within_s=20)
        await trio.sleep(10)
        assert (1, []) == (len(stage.all[1]), old.told)
        stage.crew.bring_back(1)
        await wait_all_tasks_blocked()
        assert (2, "starting") == (len(stage.all[1]), slot.state)
        await stage.let_in(1)
        assert ("ready", 1, 0) == (slot.state, slot.restarts, slot.failures)
        stage.crew.bring_back(1)
        assert (2, False) == (len(stage.all[1]), other.is_over)
    assert [] == stage.said("worker_failed")


@pytest.mark.parametrize(("deaf", "told"), [(False, []), (True, [signal.SIGKILL])])
async def test_a_worker_that_cannot_be_asked_or_does_not_go_is_told_to_stop_and_then_killed(
    autojump_clock: MockClock,
    deaf: bool,  # noqa: FBT001 - a parameter
    told: list[signal.Signals],
) -> None:
    """Nobody waits for it for ever."""
    stage = Stage(lambda number, _count: PlayedWorker(number, deaf=deaf))
    async with stage.running():
        old = await stage.let_in(1)
        await stage.let_in(2)
        await stage.crew.let_go(1, refuses, within_s=20)
        assert ("away", [signal.SIGTERM, *told]) == (stage.crew.slots[1].state, old.told)
        stage.last(2).end(0)
        stage.crew.stop()
        stage.last(2).end(0)


async def test_a_worker_that_is_left_alone_for_a_while_can_be_renewed_at_once(autojump_clock: MockClock) -> None:
    """With the code that does not fail any more, and without waiting for the end of its pause."""
    broken = [True]

    def made(number: int, _count: int) -> PlayedWorker:
        worker = PlayedWorker(number)
        if number == 1 and broken[0]:
            worker.end(3)
        return worker

    stage = Stage(made)
    async with stage.running():
        await stage.let_in(2)
        slot = stage.crew.slots[1]
        with trio.fail_after(10):
            await slot.until("left alone")
        assert (6, "worker 1 ended with status 3") == (slot.failures, slot.last)
        broken[0], at = False, trio.current_time()
        await stage.crew.let_go(1, refuses, within_s=20)
        stage.crew.bring_back(1)
        await wait_all_tasks_blocked()
        await stage.let_in(1)
        assert ("ready", at) == (slot.state, trio.current_time())


async def test_all_are_ending_when_the_whole_ends(autojump_clock: MockClock) -> None:
    """Whoever waits for a worker then waits no longer."""
    stage = Stage(played)
    async with stage.running() as nursery:
        await stage.let_in(1)
        slot = stage.crew.slots[1]
        nursery.start_soon(slot.until, "away", "ending")
        await wait_all_tasks_blocked()
        stage.crew.stop()
    assert "ending" == slot.state
