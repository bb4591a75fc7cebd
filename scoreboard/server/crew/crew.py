"""Keeps workers running: who ends is started again, with the pauses and the intensity of actors."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import trio

from actors.runtime import GaveUp, RestartHistory
from scoreboard.observe.logs import Logger
from scoreboard.server.crew.dismissal import AskToLeave, Dismissal
from scoreboard.server.crew.errors import NobodyServes, NotReady, WorkerFailed
from scoreboard.server.crew.life import Life, Worker
from scoreboard.server.crew.rules import CrewRules
from scoreboard.server.crew.seats import Seating, free_seat
from scoreboard.server.crew.slot import Slot

#: The kernel ends a process at once, unless it is in the middle of something that hangs.
KILLED_WITHIN_S = 0.5


class Crew:
    """The workers of one server, each with a number from 1.

    A worker's process has a seat, too, by which others of the machine find it: while one takes another one's place,
    both have the same number and each a seat of its own.

    Args:
        count: How many.
        start: Starts a process for a number, on a seat.
        port: The listening sockets, opened when the first worker is ready; raises OSError.
        seating: Hears who has which seat.
    """

    def __init__(
        self,
        count: int,
        start: Callable[[int, int], Worker],
        port: Callable[[], Awaitable[list[int]]],
        log: Logger,
        *,
        seating: Seating | None = None,
        rules: CrewRules | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._count = count
        self._start = start
        self._port = port
        self._log = log
        self._seating = seating
        self._rules = rules or CrewRules()
        self._rng = rng or random.SystemRandom()
        self._living: set[Life] = set()
        self.slots = {number: Slot(number) for number in range(1, count + 1)}
        self._stopping = trio.Event()
        self._dismissal = Dismissal(self._stopping, self._rules.stop_within_s, log)
        self._opening = trio.Lock()
        self._nursery: trio.Nursery | None = None

    def __repr__(self) -> str:
        return f"<Crew, {self._ready} of {self._count} ready>"

    @property
    def _ready(self) -> int:
        return len([slot for slot in self.slots.values() if slot.life is not None and slot.life.is_ready])

    def stop(self) -> None:
        """Let `run` come to an end; told a second time, the workers hurry."""
        self._stopping.set()
        for slot in self.slots.values():
            slot.become("ending")
        for life in self._living:
            life.worker.tell_to_stop()

    async def run(self) -> None:
        """Keep them running until told to stop; none is left behind, however it ends.

        Raises:
            ExceptionGroup: with NobodyServes, when workers fail too often and none serves any more; with OSError, when
                the port is taken.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for slot in self.slots.values():
                    nursery.start_soon(self._keep, slot, name=f"worker {slot.number}")
                await self._stopping.wait()
                nursery.cancel_scope.deadline = trio.current_time() + self._rules.stop_within_s
        finally:
            self._nursery = None
            with trio.CancelScope(shield=True):
                await self._see_off()

    # --- what an operator wants ---

    async def let_go(self, number: int, ask_to_leave: AskToLeave, within_s: float) -> None:
        """Let one end in good order, and nobody take its place until `bring_back`. Returns when it has ended.

        `ask_to_leave` asks it to see its clients off, and says whether it will; who does not, or is not gone after
        `within_s` seconds, is told to stop, and if need be killed.
        """
        slot = self.slots[number]
        slot.wanted = False
        slot.nudge()
        if slot.life is not None:
            await self._dismissal.see_out(slot, slot.life, ask_to_leave, within_s)
        with trio.move_on_after(KILLED_WITHIN_S):
            await slot.until("away", "ending")

    def bring_back(self, number: int) -> None:
        """Start one anew that was let go; one that runs goes on."""
        slot = self.slots[number]
        slot.wanted = True
        slot.nudge()

    async def bring_successor(self, number: int, within_s: float) -> None:
        """Start another process for a number whose present one serves on; returns when the new one has its place.

        Raises:
            NotReady: it does not serve after `within_s` seconds, or has ended before; nothing is left of it, and the
                present one has its place.
        """
        slot = self.slots[number]
        try:
            coming = slot.coming = self._begin(number)
        except OSError as error:
            raise NotReady(f"it could not be started: {error}") from error
        try:
            with trio.move_on_after(within_s):
                while not (coming.is_ready or coming.is_over or self._stopping.is_set()):
                    await slot.changed.wait()
            if not coming.is_ready:
                why = coming.how if coming.is_over else f"it was not ready within {within_s:g} s; the log has why"
                await self._dismissal.end(slot, coming)
                raise NotReady("the whole server ends" if self._stopping.is_set() else why)
        finally:
            slot.coming = None

    async def let_predecessor_go(self, number: int, ask_to_leave: AskToLeave, within_s: float) -> None:
        """Let the one end whose place was taken, as `let_go` has it."""
        slot = self.slots[number]
        if slot.leaving is not None:
            await self._dismissal.see_out(slot, slot.leaving, ask_to_leave, within_s)
        slot.leaving = None

    # --- one worker ---

    async def _keep(self, slot: Slot) -> None:
        history = RestartHistory(f"worker {slot.number}", self._rules.restarts, self._rng)
        while not self._stopping.is_set():
            if not slot.wanted:
                await self._wait_until_wanted(slot)
                continue
            began = trio.current_time()
            failed = await self._until_failed(slot)
            if failed is not None and not self._stopping.is_set():
                with trio.move_on_after(self._pause_s(slot, failed, history, lived_s=trio.current_time() - began)):
                    await self._until_something_is_to_be_done(slot)

    async def _until_failed(self, slot: Slot) -> WorkerFailed | None:
        """Until its process ends, or another one has its place; why that is a failure, if it is one."""
        try:
            if slot.life is None:
                slot.has(self._begin(slot.number))
        except OSError as error:
            return WorkerFailed(f"worker {slot.number} could not be started: {error}")
        life = slot.life
        while slot.life is life and life is not None and not (life.is_over or self._stopping.is_set()):
            await slot.changed.wait()
        if slot.life is not life or life is None or not life.is_over:
            return None
        slot.life = None
        if life.status == 0 and (life.is_ready or not slot.wanted):  # somebody told it to
            self._log.info("worker_left", worker=slot.number)
            return None
        return WorkerFailed(life.how) if slot.wanted else None

    async def _until_something_is_to_be_done(self, slot: Slot) -> None:
        while slot.wanted and slot.life is None and not self._stopping.is_set():
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

    # --- one process ---

    def _begin(self, number: int) -> Life:
        """A new process for that number. Raises OSError."""
        assert self._nursery is not None  # noqa: S101 - all of this happens while `run` runs
        seat = free_seat(number, self._count, {life.seat for life in self._living})
        life = Life(number, seat, self._start(number, seat), self._rules, self._log)
        self._living.add(life)
        self._nursery.start_soon(self._live, life)
        return life

    async def _live(self, life: Life) -> None:
        await life.run(self._let_in)
        self._living.discard(life)
        if self._seating is not None:
            self._seating.forget(life.seat)
        self.slots[life.number].nudge()

    async def _let_in(self, life: Life) -> None:
        async with self._opening:
            listening = await self._port()
        slot = self.slots[life.number]
        life.is_ready = True
        life.worker.line.hand_over(listening)
        if self._seating is not None:
            self._seating.seated(life.number, life.seat)
        if slot.coming is life:
            slot.succeeded()
        elif slot.life is life:
            slot.become("ready")
        self._log.info("worker_ready", worker=life.number, pid=life.worker.pid, serving=self._ready)

    # --- the end ---

    async def _see_off(self) -> None:
        """Who is still there has had its time; or it is the parent that cannot go on, and they get theirs now."""
        if not self._stopping.is_set():
            self.stop()
            with trio.move_on_after(self._rules.stop_within_s):
                await self._all_ended()
        for life in self._living:
            if not life.worker.is_over:
                self._dismissal.kill(life)
        with trio.move_on_after(KILLED_WITHIN_S):
            await self._all_ended()
        for life in self._living:
            life.worker.line.close()

    async def _all_ended(self) -> None:
        for life in self._living:
            await life.worker.ended()
