"""Keeps workers running: who ends is started again, with the pauses and the intensity of actors."""

from __future__ import annotations

import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from actors.runtime import GaveUp, RestartHistory, RestartPolicy
from scoreboard.observe.logs import Logger
from scoreboard.server.crew.errors import NobodyServes
from scoreboard.server.crew.line import BEAT_S, READY
from scoreboard.server.crew.process import in_words
from scoreboard.server.crew.slot import Slot

#: The kernel ends a process at once, unless it is in the middle of something that hangs.
KILLED_WITHIN_S = 0.5


class Line(Protocol):
    """What a worker says to its parent, and is told by it; see `scoreboard.server.crew.line`."""

    async def heard(self) -> bytes:
        """What it has said since; nothing when it is gone."""
        ...

    def hand_over(self, listening: list[int]) -> None:
        """Let it accept from these sockets."""
        ...

    def close(self) -> None:
        """It is gone, or to be let go."""
        ...


class Worker(Protocol):
    """One that was started just now; see `scoreboard.server.crew.process`."""

    is_ready: bool
    number: int

    @property
    def pid(self) -> int:
        """Of its process."""
        ...

    @property
    def line(self) -> Line:
        """The line to it."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        ...

    async def ended(self) -> int:
        """Wait for its end; its exit status, or the number of the signal that ended it, negative."""
        ...

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        ...

    def tell_to_stop(self) -> None:
        """In good order; told twice, at once."""
        ...


class WorkerFailed(Exception):
    """A worker ended otherwise than in good order; says how."""


@dataclass(frozen=True, slots=True)
class CrewRules:
    """Bounds of the workers.

    Attributes:
        restarts: how often one may fail, and the pauses. One that fails more often is left alone for as long as these
            failures count, while others serve.
        silent_s: a worker that does not say for so long that it lives is killed. Only the parent's own waking time
            counts, so a machine that slept kills nobody.
        stop_within_s: for all to end in good order. Leaves time for the stores.
    """

    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    silent_s: float = 30.0
    stop_within_s: float = 6.0


class Crew:
    """The workers of one server, each with a number from 1.

    Args:
        count: How many.
        start: Starts a process for a number.
        port: The listening sockets, opened when the first worker is ready; raises OSError.
        gone: Hears the number of a worker that has ended.
    """

    def __init__(
        self,
        count: int,
        start: Callable[[int], Worker],
        port: Callable[[], Awaitable[list[int]]],
        log: Logger,
        *,
        gone: Callable[[int], None] = lambda _: None,
        rules: CrewRules | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._count = count
        self._start = start
        self._port = port
        self._log = log
        self._gone = gone
        self._rules = rules or CrewRules()
        self._rng = rng or random.SystemRandom()
        self._living: dict[int, Worker] = {}
        self.slots = {number: Slot(number) for number in range(1, count + 1)}
        self._stopping = trio.Event()
        self._opening = trio.Lock()

    def __repr__(self) -> str:
        return f"<Crew, {self._ready} of {self._count} ready>"

    @property
    def _ready(self) -> int:
        return sum(worker.is_ready for worker in self._living.values())

    def stop(self) -> None:
        """Let `run` come to an end; told a second time, the workers hurry."""
        self._stopping.set()
        for slot in self.slots.values():
            slot.become("ending")
        for worker in self._living.values():
            worker.tell_to_stop()

    async def run(self) -> None:
        """Keep them running until told to stop; none is left behind, however it ends.

        Raises:
            ExceptionGroup: with NobodyServes, when workers fail too often and none serves any more; with OSError, when
                the port is taken.
        """
        try:
            async with trio.open_nursery() as nursery:
                for slot in self.slots.values():
                    nursery.start_soon(self._keep, slot, name=f"worker {slot.number}")
                await self._stopping.wait()
                nursery.cancel_scope.deadline = trio.current_time() + self._rules.stop_within_s
        finally:
            with trio.CancelScope(shield=True):
                await self._see_off()

    async def let_go(self, number: int, ask_to_leave: Callable[[], Awaitable[bool]], within_s: float) -> None:
        """Let one end in good order, and nobody take its place until `bring_back`. Returns when it has ended.

        `ask_to_leave` asks it to see its clients off, and says whether it will; who does not, or is not gone after
        `within_s` seconds, is told to stop, and if need be killed.
        """
        slot = self.slots[number]
        slot.wanted = False
        was_ready = slot.state == "ready"
        slot.nudge()
        if was_ready and await ask_to_leave():
            slot.become("draining")
            with trio.move_on_after(within_s):
                await slot.until("away", "ending")
        for tell in (self._tell_to_stop, self._kill):
            if slot.state not in {"away", "ending"}:
                tell(number)
                with trio.move_on_after(self._rules.stop_within_s):
                    await slot.until("away", "ending")

    def bring_back(self, number: int) -> None:
        """Start one anew that was let go; one that runs goes on."""
        slot = self.slots[number]
        slot.wanted = True
        slot.nudge()

    def _tell_to_stop(self, number: int) -> None:
        if (worker := self._living.get(number)) is not None:
            worker.tell_to_stop()

    def _kill(self, number: int) -> None:
        if (worker := self._living.get(number)) is not None:
            self._log.warning("worker_did_not_stop", worker=number, pid=worker.pid)
            worker.tell(signal.SIGKILL)

    # --- one worker ---

    async def _keep(self, slot: Slot) -> None:
        name = f"worker {slot.number}"
        history = RestartHistory(name, self._rules.restarts, self._rng)
        while not self._stopping.is_set():
            if not slot.wanted:
                await self._wait_until_wanted(slot)
                continue
            began = trio.current_time()
            status, was_ready = await self._run_once(slot)
            if self._stopping.is_set():
                return
            if status == 0 and (was_ready or not slot.wanted):  # somebody told it to
                self._log.info("worker_left", worker=slot.number)
            elif slot.wanted:
                failed = WorkerFailed(f"{name} ended with {in_words(status)}")
                with trio.move_on_after(self._pause_s(slot, failed, history, lived_s=trio.current_time() - began)):
                    await self._until_stopping_or_unwanted(slot)

    async def _until_stopping_or_unwanted(self, slot: Slot) -> None:
        while slot.wanted and not self._stopping.is_set():
            await slot.changed.wait()

    async def _wait_until_wanted(self, slot: Slot) -> None:
        """Nobody is there meanwhile."""
        self._log.info("worker_away", worker=slot.number, serving=self._ready)
        slot.become("away")
        while not (slot.wanted or self._stopping.is_set()):
            await slot.changed.wait()

    def _pause_s(self, slot: Slot, failed: WorkerFailed, history: RestartHistory, *, lived_s: float) -> float:
        told = {"worker": slot.number, "reason": str(failed), "lived_s": round(lived_s, 1)}
        try:
            pause_s = history.after(failed, trio.current_time())
        except GaveUp as error:
            if not self._ready:
                raise NobodyServes(f"{error}, the last time with {failed}; and no other worker serves") from error
            pause_s = self._rules.restarts.within_s
            slot.failed(str(failed), "left alone")
            self._log.error("worker_left_alone", **told, for_s=pause_s, serving=self._ready)
        else:
            slot.failed(str(failed), "failed")
            self._log.error("worker_failed", **told, again_in_s=round(pause_s, 2), serving=self._ready)
        return pause_s

    async def _run_once(self, slot: Slot) -> tuple[int, bool]:
        number = slot.number
        worker = self._living[number] = self._start(number)
        slot.began(worker.pid)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen_to, worker)
            status = await worker.ended()
            nursery.cancel_scope.cancel()
        del self._living[number]
        slot.ended()
        self._gone(number)
        worker.line.close()
        return status, worker.is_ready

    async def _listen_to(self, worker: Worker) -> None:
        """Until it is gone; one that is silent for too long is killed."""
        silent_s = 0.0
        while silent_s < self._rules.silent_s:
            said: bytes | None = None
            with trio.move_on_after(BEAT_S):
                said = await worker.line.heard()
            if said == b"":
                return
            silent_s = 0.0 if said else silent_s + BEAT_S
            if said and READY in said:
                await self._let_in(worker)
        self._log.error("worker_hangs", worker=worker.number, pid=worker.pid, silent_s=silent_s)
        worker.tell(signal.SIGKILL)

    async def _let_in(self, worker: Worker) -> None:
        async with self._opening:
            listening = await self._port()
        worker.is_ready = True
        worker.line.hand_over(listening)
        self.slots[worker.number].become("ready")
        self._log.info("worker_ready", worker=worker.number, pid=worker.pid, serving=self._ready)

    # --- the end ---

    async def _see_off(self) -> None:
        """Who is still there has had its time; or it is the parent that cannot go on, and they get theirs now."""
        if not self._stopping.is_set():
            self.stop()
            with trio.move_on_after(self._rules.stop_within_s):
                await self._all_ended()
        for worker in self._living.values():
            if not worker.is_over:
                self._log.warning("worker_did_not_stop", worker=worker.number, pid=worker.pid)
                worker.tell(signal.SIGKILL)
        with trio.move_on_after(KILLED_WITHIN_S):
            await self._all_ended()
        for worker in self._living.values():
            worker.line.close()

    async def _all_ended(self) -> None:
        for worker in self._living.values():
            await worker.ended()
