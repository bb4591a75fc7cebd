"""Workers that take each other's place, the new one first, under a virtual clock; the workers are played."""

from __future__ import annotations

import signal

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.server.crew.errors import NotReady
from scoreboard.server.crew.life import Life
from scoreboard.server.crew.line import ALIVE, LAST_WORDS, READY
from tests.server.crew.test_crew import PORT, PlayedWorker, Stage, played


async def leaves(life: Life) -> bool:
    """It sees its clients off at once."""
    life.worker.tell(signal.SIGUSR1)
    assert isinstance(life.worker, PlayedWorker)
    life.worker.end(0)
    return True


def speaking(stage: Stage) -> None:
    """All who run say that they live."""
    for workers in stage.all.values():
        for worker in workers:
            if not worker.is_over:
                worker.line.say(ALIVE)


async def process(stage: Stage, number: int, count: int) -> PlayedWorker:
    """The one of that number which is started as the first, the second, and so on."""
    while len(stage.all[number]) < count:  # noqa: ASYNC110 - by the hand of the crew
        await trio.sleep(0.01)
    return stage.all[number][count - 1]


def holder(stage: Stage, number: int) -> object:
    """Who has that place."""
    life = stage.crew.slots[number].life
    return None if life is None else life.worker


async def test_the_old_one_serves_until_the_new_one_does_and_goes_only_then(autojump_clock: MockClock) -> None:
    """So one worker is enough for somebody to serve all the while. Each has a seat of its own, and the same number."""
    stage = Stage(played)
    async with stage.running() as nursery:
        old, slot = await stage.let_in(1), stage.crew.slots[1]
        nursery.start_soon(stage.crew.bring_successor, 1, 60)
        new = await process(stage, 1, 2)
        await trio.sleep(3)
        assert ([], [], False) == (old.told, new.line.handed, old.is_over)
        assert (old, "ready") == (holder(stage, 1), slot.state)
        assert "<Life of worker 1, seat 3, pid 1001, starting>" == repr(slot.coming)
        new.line.say(READY)
        await wait_all_tasks_blocked()
        assert (PORT, False, {1: 3}) == (new.line.handed, old.is_over, stage.seats)
        assert ("ready", new, 1, 0) == (slot.state, holder(stage, 1), slot.restarts, slot.failures)
        await stage.crew.let_predecessor_go(1, leaves, 20)
        assert ([signal.SIGUSR1], None, None) == (old.told, slot.leaving, slot.coming)
        await trio.sleep(1)
        assert (2, [1]) == (len(stage.all[1]), stage.gone)
        new.end(-9)
        await trio.sleep(1)
        assert "<Life of worker 1, seat 1, pid 1001, starting>" == repr(slot.life)
    assert [1] == [line["worker"] for line in stage.said("worker_failed")]


async def test_a_successor_that_ends_costs_nothing_and_its_last_words_say_why(autojump_clock: MockClock) -> None:
    """Those of its process, as far as it had time for some; the old one has its place and was told nothing."""
    stage = Stage(played)
    async with stage.running() as nursery:
        old, slot = await stage.let_in(1), stage.crew.slots[1]

        async def ends() -> None:
            new = await process(stage, 1, 2)
            new.line.say(ALIVE + LAST_WORDS + b"the folder of keys ")
            new.line.say(b"cannot be Read.")
            new.end(1)

        nursery.start_soon(ends)
        with pytest.raises(NotReady, match=r"^worker 1 ended with status 1: the folder of keys cannot be Read\.$"):
            await stage.crew.bring_successor(1, 60)
        await trio.sleep(5)
        assert (2, [], False) == (len(stage.all[1]), old.told, old.is_over)
        assert ("ready", old, None, 0) == (slot.state, holder(stage, 1), slot.coming, slot.restarts)
        assert [3] == stage.gone
    assert [] == stage.said("worker_failed")


@pytest.mark.parametrize(("deaf", "told"), [(False, []), (True, [signal.SIGKILL])])
async def test_a_successor_that_is_not_ready_in_time_is_ended_and_the_old_one_stays(
    autojump_clock: MockClock,
    deaf: bool,  # noqa: FBT001 - a parameter
    told: list[signal.Signals],
) -> None:
    """In good order, and if need be otherwise."""
    stage = Stage(lambda number, count: PlayedWorker(number, deaf=deaf and count == 1))
    async with stage.running():
        old = await stage.let_in(1)
        with pytest.raises(NotReady, match="it was not ready within 20 s"):
            await stage.crew.bring_successor(1, 20)
        assert [signal.SIGTERM, *told] == stage.last(1).told
        assert ([], "ready") == (old.told, stage.crew.slots[1].state)


async def test_an_old_one_that_dies_meanwhile_leaves_one_worker_and_not_two(autojump_clock: MockClock) -> None:
    """It is started again as ever; the successor takes the place when it serves, whoever is starting there."""
    stage = Stage(played)
    async with stage.running() as nursery:
        old = await stage.let_in(1)
        await stage.let_in(2)
        nursery.start_soon(stage.crew.bring_successor, 1, 60)
        new = await process(stage, 1, 2)
        old.end(-9)
        again = await process(stage, 1, 3)
        new.line.say(READY)
        await wait_all_tasks_blocked()
        await stage.crew.let_predecessor_go(1, leaves, 20)
        await trio.sleep(1)
        assert ([signal.SIGTERM], [], 3) == (again.told, new.told, len(stage.all[1]))
        assert ("ready", new) == (stage.crew.slots[1].state, holder(stage, 1))


async def test_a_successor_takes_a_place_that_is_empty_for_a_moment(autojump_clock: MockClock) -> None:
    """Nobody else is started there then, after whatever pause."""
    stage = Stage(played)
    async with stage.running() as nursery:
        await stage.let_in(2)
        for _ in range(4):
            (await stage.let_in(1)).end(-9)
            await trio.sleep(1)
        old = await stage.let_in(1)
        nursery.start_soon(stage.crew.bring_successor, 1, 60)
        new = await process(stage, 1, 6)
        old.end(-9)
        await wait_all_tasks_blocked()
        new.line.say(READY)
        for _ in range(20):
            speaking(stage)
            await trio.sleep(1)
        assert (6, False) == (len(stage.all[1]), new.is_over)


async def test_all_end_when_they_are_told_to_whoever_is_coming_and_whoever_is_leaving(
    autojump_clock: MockClock,
) -> None:
    """None is left behind, and who waits for a successor hears that there will be none."""
    stage = Stage(played)
    raised: list[str] = []

    async def bring(number: int) -> None:
        try:
            await stage.crew.bring_successor(number, 60)
        except NotReady as error:
            raised.append(str(error))

    async def stays(_life: Life) -> bool:
        return True

    async with stage.running() as nursery:
        await stage.let_in(1)
        await stage.let_in(2)
        nursery.start_soon(bring, 1)
        (await process(stage, 1, 2)).line.say(READY)
        await wait_all_tasks_blocked()
        nursery.start_soon(stage.crew.let_predecessor_go, 1, stays, 20)
        nursery.start_soon(bring, 2)
        await process(stage, 2, 2)
        await wait_all_tasks_blocked()
    assert ["the whole server ends"] == raised
    assert {True} == {worker.is_over for workers in stage.all.values() for worker in workers}


async def test_a_worker_that_says_nothing_for_a_while_is_told_of_long_before_it_is_killed(
    autojump_clock: MockClock,
) -> None:
    """With what that means; and when it speaks again. One that is being loaded has not spoken yet."""
    stage = Stage(played)
    async with stage.running():
        frozen, other = await stage.let_in(1), await stage.let_in(2)
        for _ in range(7):
            other.line.say(ALIVE)
            await trio.sleep(1)
        frozen.line.say(ALIVE)
        await trio.sleep(1)
        assert [(1, 5.0, 30.0)] == [
            (line["worker"], line["silent_s"], line["killed_at_s"]) for line in stage.said("worker_silent")
        ]
        assert [1] == [line["worker"] for line in stage.said("worker_speaks_again")]
        assert [] == frozen.told
        frozen.end(-9)
        for _ in range(9):
            other.line.say(ALIVE)
            await trio.sleep(1)
        assert (2, 1) == (len(stage.all[1]), len(stage.said("worker_silent")))
