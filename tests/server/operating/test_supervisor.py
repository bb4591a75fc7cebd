"""A server that is kept running, under a virtual clock; the server is played."""

from __future__ import annotations

import errno
import io
import json
import math
import random
import signal
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime import RestartPolicy
from scoreboard.observe.logs import make_logger
from scoreboard.server.operating.supervisor import Supervisor, Watchfulness, answers_at, reachable
from tests.server.played import PlayedProcess

RULES = Watchfulness(RestartPolicy(jitter=0.0))


class Stage:
    """A supervisor, all servers that it started, and when; `answering` is whether the present one answers."""

    def __init__(self, make: Callable[[], PlayedProcess] = PlayedProcess) -> None:
        self._lines = io.StringIO()
        self._make = make
        self.servers: list[PlayedProcess] = []
        self.started_at: list[float] = []
        self.answering = True
        self.status: int | None = None
        self.send, self._signals = trio.open_memory_channel[int](math.inf)
        log = make_logger(style="json", stream=self._lines)
        self.supervisor = Supervisor(self._start, self._answers, log, rules=RULES, rng=random.Random(1))

    def _start(self) -> PlayedProcess:
        self.servers.append(self._make())
        self.started_at.append(trio.current_time())
        return self.servers[-1]

    async def _answers(self) -> bool:
        await trio.lowlevel.checkpoint()
        return self.answering

    async def run(self) -> None:
        """To its end."""
        self.status = await self.supervisor.run(self._signals)

    def said(self) -> list[str]:
        """The events in its log."""
        return [json.loads(line)["event"] for line in self._lines.getvalue().splitlines()]


async def test_a_server_that_fails_is_started_again_after_pauses_that_grow(autojump_clock: MockClock) -> None:
    """Those of actors; whatever ended it. The sixth time within a minute it is given up, with status 1."""
    stage = Stage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.run)
        for count in range(1, 7):
            while len(stage.servers) < count:  # noqa: ASYNC110 - by the supervisor's own hand
                await trio.sleep(0.01)
            stage.servers[-1].end((-9, 1)[count % 2])
    gaps = [later - sooner for sooner, later in zip(stage.started_at, stage.started_at[1:], strict=False)]
    assert [0.1, 0.2, 0.4, 0.8, 1.6] == pytest.approx(gaps, abs=0.02)
    assert 1 == stage.status
    assert ["server_failed"] * 5 + ["server_given_up"] == stage.said()


async def test_a_server_for_which_the_system_has_no_process_is_tried_again(autojump_clock: MockClock) -> None:
    """What took its memory may have ended the one before."""
    refusals = [BlockingIOError(errno.EAGAIN, "no more processes")] * 3

    def make() -> PlayedProcess:
        if refusals:
            raise refusals.pop()
        return PlayedProcess()

    stage = Stage(make)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.run)
        await trio.sleep(5)
        stage.servers[0].end(0)
    assert (0, 1) == (stage.status, len(stage.servers))
    assert ["server_failed"] * 3 == stage.said()


@pytest.mark.parametrize("status", [0, 2])
async def test_a_server_that_was_told_to_end_or_cannot_be_started_so_is_not_started_again(
    status: int, autojump_clock: MockClock
) -> None:
    """By a drain; or for a wrong setting, which no second start mends."""
    stage = Stage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.run)
        await wait_all_tasks_blocked()
        stage.servers[0].end(status)
    assert (status, 1) == (stage.status, len(stage.servers))


async def test_a_signal_is_handed_on_and_ends_both(autojump_clock: MockClock) -> None:
    """Also in a pause, when there is nobody to hand it to."""
    stage, pausing = Stage(), Stage()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.run)
        nursery.start_soon(pausing.run)
        await wait_all_tasks_blocked()
        pausing.servers[0].end(1)
        await wait_all_tasks_blocked()
        for each in (stage, pausing):
            each.send.send_nowait(signal.SIGTERM)
    assert [signal.SIGTERM] == stage.servers[0].told
    assert [(0, 1)] * 2 == [(each.status, len(each.servers)) for each in (stage, pausing)]


async def test_a_server_that_does_not_answer_any_more_is_replaced(autojump_clock: MockClock) -> None:
    """After half a minute; it is asked to end first. One that has yet to answer, for it is starting, is let be."""
    stage = Stage(lambda: PlayedProcess(deaf=True))
    stage.answering = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.run)
        await trio.sleep(300)
        assert [] == stage.servers[0].told
        stage.answering = True
        await trio.sleep(10)
        stage.answering = False
        await trio.sleep(28)
        assert [] == stage.servers[0].told
        await trio.sleep(20)
        assert [signal.SIGTERM, signal.SIGKILL] == stage.servers[0].told
        assert 2 == len(stage.servers)
        nursery.cancel_scope.cancel()
    assert "server_hangs" in stage.said()


async def test_whoever_answers_in_whatever_way_lives() -> None:
    """A refusal, too; nobody, or somebody who hangs up, does not."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some(1000)
        await stream.send_all(answers.pop(0))

    answers = [b"HTTP/1.1 503 Full\r\n\r\n", b""]
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        assert [True, False] == [await answers_at("127.0.0.1", port, None) for _ in range(2)]
        nursery.cancel_scope.cancel()
    assert not await answers_at("127.0.0.1", port, None)


def test_who_listens_on_all_addresses_is_found_on_this_machine() -> None:
    """Any other address stands for itself."""
    assert ["127.0.0.1", "::1", "10.0.0.7"] == [reachable(host) for host in ("0.0.0.0", "::", "10.0.0.7")]
