"""The parent's rules for workers, under a virtual clock; the workers are played."""

from __future__ import annotations

import io
import json
import math
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
import trio.testing

from actors.runtime import RestartPolicy
from scoreboard.observe.logs import make_logger
from scoreboard.server.crew.crew import Crew
from scoreboard.server.crew.errors import NobodyServes
from scoreboard.server.crew.line import ALIVE, READY, STEP
from scoreboard.server.crew.rules import CrewRules
from tests.server.played import PlayedProcess

RULES = CrewRules(RestartPolicy(jitter=0.0), silent_s=30.0, stop_within_s=6.0)
PORT = [7]


class PlayedLine:
    """What a played worker says."""

    def __init__(self) -> None:
        self._say, self._heard = trio.open_memory_channel[bytes](math.inf)
        self.handed: list[int] = []

    def say(self, what: bytes) -> None:
        """As the worker."""
        self._say.send_nowait(what)

    async def heard(self) -> bytes:
        """As the parent."""
        return await self._heard.receive()

    def rest(self) -> bytes:
        """As the parent, when all is over."""
        said = b""
        with suppress(trio.WouldBlock):
            while True:
                said += self._heard.receive_nowait()
        return said

    def hand_over(self, listening: list[int]) -> None:
        """As the parent."""
        self.handed = listening

    def close(self) -> None:
        """As the parent."""
        self._say.close()


class PlayedWorker(PlayedProcess):
    """Says nothing but what the test has it say."""

    def __init__(self, number: int, *, deaf: bool = False) -> None:
        super().__init__(deaf=deaf)
        self.number = number
        self.pid = 1000 + number
        self.line = PlayedLine()

    def tell_to_stop(self) -> None:
        """In good order."""
        self.tell(signal.SIGTERM)


class Stage:
    """A crew, its log, and all workers that it ever started, by number."""

    def __init__(self, make: Callable[[int, int], PlayedWorker], port: Callable[[], list[int]] = lambda: PORT) -> None:
        self._lines = io.StringIO()
        self._make = make
        self.all: dict[int, list[PlayedWorker]] = {1: [], 2: []}
        self.seats: dict[int, int] = {}
        self.gone: list[int] = []
        log = make_logger(style="json", stream=self._lines)

        async def opened() -> list[int]:
            return port()

        self.crew = Crew(2, self._start, opened, log, seating=self, rules=RULES, rng=random.Random(1))

    def seated(self, number: int, seat: int) -> None:
        """As what all workers share."""
        self.seats[number] = seat

    def forget(self, seat: int) -> None:
        """As what all workers share."""
        self.gone.append(seat)

    def _start(self, number: int, _seat: int) -> PlayedWorker:
        worker = self._make(number, len(self.all[number]))
        self.all[number].append(worker)
        return worker

    def last(self, number: int) -> PlayedWorker:
        """The one that runs now, or ran last."""
        return self.all[number][-1]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Its lines of log of that kind."""
        return [line for line in map(json.loads, self._lines.getvalue().splitlines()) if line["event"] == event]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.Nursery]:
        """Both were started; told to stop at the end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.crew.run)
            await trio.testing.wait_all_tasks_blocked()
            yield nursery
            self.crew.stop()

    async def let_in(self, number: int) -> PlayedWorker:
        """That worker says that it is ready."""
        worker = self.last(number)
        worker.line.say(READY)
        await trio.testing.wait_all_tasks_blocked()
        return worker


def played(number: int, _count: int) -> PlayedWorker:
    """Obedient."""
    return PlayedWorker(number)


async def test_a_worker_has_the_port_when_it_is_ready_and_not_before() -> None:
    """Who is not, accepts nobody."""
    stage = Stage(played)
    async with stage.running():
        stage.last(1).line.say(ALIVE)
        await trio.testing.wait_all_tasks_blocked()
        assert [] == stage.last(1).line.handed
        assert PORT == (await stage.let_in(1)).line.handed
        assert [] == stage.last(2).line.handed
        assert [1] == [line["serving"] for line in stage.said("worker_ready")]


async def test_a_worker_that_is_killed_is_replaced_after_a_pause_that_grows_and_the_other_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A tenth of a second, two tenths; the log says how it ended and how many serve."""
    stage = Stage(played)
    async with stage.running():
        other = await stage.let_in(2)
        for pause_s in (0.1, 0.2):
            await stage.let_in(1)
            count, at = len(stage.all[1]), trio.current_time()
            stage.last(1).end(-9)
            while len(stage.all[1]) == count:
                other.line.say(ALIVE)
                await trio.sleep(0.01)
            assert pause_s == pytest.approx(trio.current_time() - at, abs=0.011)
        assert (1, False) == (len(stage.all[2]), other.is_over)
    told = [(line["worker"], line["reason"], line["serving"]) for line in stage.said("worker_failed")]
    assert [(1, "worker 1 ended with SIGKILL", 1)] * 2 == told
    assert [1, 1] == stage.gone[:2]


async def test_workers_that_fail_at_every_start_end_the_server_with_the_reason(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """After six tries, as an actor's; nobody is left running."""

    def broken(number: int, _count: int) -> PlayedWorker:
        worker = PlayedWorker(number)
        worker.end(1)
        return worker

    stage = Stage(broken)
    with pytest.raises(ExceptionGroup) as caught:
        await stage.crew.run()
    assert caught.group_contains(NobodyServes, match=r"worker . failed 6 times within 60 s.*ended with status 1")
    assert 6 == max(len(workers) for workers in stage.all.values())
    assert trio.current_time() < 10


class SlowWorker(PlayedWorker):
    """Obeys, but takes its time for it."""

    def tell(self, number: signal.Signals) -> None:
        """Nothing happens at once."""
        self.told.append(number)

    async def end_after(self, number: signal.Signals, seconds: float) -> None:
        """When it is told so."""
        while number not in self.told:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)
        await trio.sleep(seconds)
        self.end(-number)


async def test_workers_have_their_time_to_end_also_when_the_parent_cannot_go_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Here the port is taken. Who is killed in the end is gone when the parent goes on: its stores end behind it."""

    def taken() -> list[int]:
        raise OSError("taken")

    stage = Stage(lambda number, _: SlowWorker(number), port=taken)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run_to_a_taken_port, stage, nursery.cancel_scope)
        await trio.testing.wait_all_tasks_blocked()
        slow, deaf = stage.last(1), stage.last(2)
        assert isinstance(slow, SlowWorker)
        assert isinstance(deaf, SlowWorker)
        nursery.start_soon(slow.end_after, signal.SIGTERM, 3)
        nursery.start_soon(deaf.end_after, signal.SIGKILL, 0.2)
        slow.line.say(READY)
    assert ([signal.SIGTERM], [signal.SIGTERM, signal.SIGKILL]) == (slow.told, deaf.told)
    assert 6.2 <= trio.current_time() < 6.4


async def _run_to_a_taken_port(stage: Stage, scope: trio.CancelScope) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await stage.crew.run()
    assert caught.group_contains(OSError, match="taken")
    assert [True, True] == [stage.last(number).is_over for number in (1, 2)]
    scope.cancel()


async def test_a_worker_that_fails_too_often_is_left_alone_for_a_while_as_long_as_another_one_serves(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """One's crash is never the other's; it is tried again when its failures have become old."""

    def one_is_broken(number: int, _count: int) -> PlayedWorker:
        worker = PlayedWorker(number)
        if number == 1:
            worker.end(3)
        return worker

    stage = Stage(one_is_broken)
    async with stage.running():
        other = await stage.let_in(2)
        for _ in range(50):
            other.line.say(ALIVE)
            await trio.sleep(1)
        assert 6 == len(stage.all[1])
        for _ in range(20):
            other.line.say(ALIVE)
            await trio.sleep(1)
        assert len(stage.all[1]) > 6
        assert not other.is_over
    alone, *_ = stage.said("worker_left_alone")
    assert (1, 60.0, 1) == (alone["worker"], alone["for_s"], alone["serving"])


async def test_a_worker_that_somebody_ends_in_good_order_is_replaced_at_once_and_has_not_failed() -> None:
    """An operator restarts workers one by one like that."""
    stage = Stage(played)
    async with stage.running():
        for _ in range(10):
            (await stage.let_in(1)).end(0)
            await trio.testing.wait_all_tasks_blocked()
        assert 11 == len(stage.all[1])
    assert [] == stage.said("worker_failed")


async def test_a_worker_that_ends_before_it_was_ready_has_failed_whatever_its_status(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Otherwise it would be started again and again without a pause."""
    stage = Stage(played)
    async with stage.running():
        stage.last(1).end(0)
        await trio.testing.wait_all_tasks_blocked()
        assert 1 == len(stage.said("worker_failed"))


async def test_a_worker_that_is_silent_for_too_long_is_killed_and_replaced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """One that hangs serves nobody; the other, who says every second that it lives, is left in peace."""
    stage = Stage(played)
    async with stage.running():
        hanging, other = await stage.let_in(1), await stage.let_in(2)
        for _ in range(28):
            other.line.say(ALIVE)
            await trio.sleep(1)
        assert [] == hanging.told
        for _ in range(4):
            other.line.say(ALIVE)
            await trio.sleep(1)
        assert [signal.SIGKILL] == hanging.told
        assert 2 == len(stage.all[1])
        assert not other.is_over
    assert [1] == [line["worker"] for line in stage.said("worker_hangs")]


async def speak(worker: PlayedWorker, what: bytes, seconds: int) -> None:
    """Once a second."""
    for _ in range(seconds):
        worker.line.say(what)
        await trio.sleep(1)


async def test_a_worker_whose_start_gets_no_further_is_killed_and_replaced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It says that it lives, and serves nobody: it is a failure as any other, and is told with what to do."""
    stage = Stage(played)
    async with stage.running() as nursery:
        ready, stuck = await stage.let_in(1), stage.last(2)
        nursery.start_soon(speak, ready, ALIVE, 302)
        await speak(stuck, ALIVE, 299)
        assert ([], "starting") == (stuck.told, stage.crew.slots[2].state)
        await speak(stuck, ALIVE, 1)
        await trio.sleep(1)
        assert [signal.SIGKILL] == stuck.told
        assert 2 == len(stage.all[2])
        assert ("starting", 1) == (stage.crew.slots[2].state, stage.crew.slots[2].failures)
        assert [ready] == stage.all[1]
    [failed], [told] = stage.said("worker_failed"), stage.said("worker_does_not_start")
    assert "SIGKILL: it was starting, and got no further for 300 s" in failed["reason"]
    assert (2, True) == (told["worker"], "log" in told["remedy"])
    assert failed["again_in_s"] == 0.1


async def test_a_worker_whose_start_gets_on_is_left_in_peace(autojump_clock: trio.testing.MockClock) -> None:
    """However long it takes: it waits for Postgres, or reads a large board."""
    stage = Stage(played)
    async with stage.running():
        ready, slow = await stage.let_in(1), stage.last(2)
        for _ in range(6):
            slow.line.say(STEP)
            ready.line.say(ALIVE)
            await speak(slow, ALIVE, 20)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak, ready, ALIVE, 2000)
            await speak(slow, STEP, 1000)
            await speak(slow, ALIVE, 290)
            slow.line.say(READY)
            await speak(slow, ALIVE, 700)
        assert [] == slow.told
        assert "ready" == stage.crew.slots[2].state


async def test_told_to_stop_all_stop_and_nobody_is_replaced() -> None:
    """In good order."""
    stage = Stage(played)
    async with stage.running():
        await stage.let_in(1)
    assert [[signal.SIGTERM]] * 2 == [stage.last(number).told for number in (1, 2)]
    assert {1: 1, 2: 1} == {number: len(workers) for number, workers in stage.all.items()}


async def test_a_worker_that_does_not_stop_in_time_is_killed(autojump_clock: trio.testing.MockClock) -> None:
    """Then there is time left to end the stores, and the server ends as it was promised to."""
    stage = Stage(lambda number, _: PlayedWorker(number, deaf=number == 2))
    async with stage.running():
        await stage.let_in(1)
        at = trio.current_time()
    assert 6.0 == trio.current_time() - at
    assert [signal.SIGTERM, signal.SIGKILL] == stage.last(2).told
    assert [signal.SIGTERM] == stage.last(1).told
    assert [2] == [line["worker"] for line in stage.said("worker_did_not_stop")]


async def test_a_second_word_makes_workers_hurry(autojump_clock: trio.testing.MockClock) -> None:
    """As it does with one process."""
    stage = Stage(lambda number, _: PlayedWorker(number, deaf=True))
    async with stage.running():
        stage.crew.stop()
    assert signal.SIGTERM == stage.last(1).told[1]


async def test_a_port_that_is_taken_meanwhile_ends_the_server(autojump_clock: trio.testing.MockClock) -> None:
    """With its sentence, and with all workers."""

    def taken() -> list[int]:
        raise OSError("cannot listen on there")

    stage = Stage(played, taken)
    with pytest.raises(ExceptionGroup) as caught:
        async with stage.running():
            await stage.let_in(1)
    assert caught.group_contains(OSError, match="cannot listen on there")
    assert stage.last(1).is_over
    assert stage.last(2).is_over


async def test_whoever_cancels_the_parent_leaves_no_worker_behind(autojump_clock: trio.testing.MockClock) -> None:
    """As when an embedded store keeps dying."""
    stage = Stage(lambda number, _: PlayedWorker(number, deaf=number == 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.crew.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert [[signal.SIGTERM, signal.SIGKILL], [signal.SIGTERM]] == [stage.last(number).told for number in (1, 2)]
