"""One live actor: a mailbox, the task that serves it, and the incarnations that follow one another on it."""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import trio

from actors.runtime.actor import Actor, BatchActor
from actors.runtime.errors import ActorCrashed, ActorStopped, MailboxFull, Refusal
from actors.runtime.faults import split_fault
from actors.runtime.mailbox import Mailbox
from actors.runtime.observer import Observer
from actors.runtime.request import Request, set_current_deadline
from actors.runtime.restarts import RestartHistory, RestartPolicy

#: After so many messages without a wait an actor lets others run; its own code need not contain a checkpoint.
TURN = 16


@dataclass(frozen=True, slots=True)
class CellOptions:
    """Bounds of one actor: `capacity` of its mailbox, seconds for its hooks, and how often it may fail."""

    capacity: int = 1000
    start_within_s: float = 10.0
    stop_within_s: float = 5.0
    restarts: RestartPolicy = field(default_factory=RestartPolicy)


class _Wish(enum.Enum):
    """What others want of the cell."""

    LIVE = "live"
    REST = "rest"
    STOP = "stop"


class Cell:
    """Runs the incarnations of one actor, one after another, in one task."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Actor | BatchActor],
        options: CellOptions,
        *,
        observer: Observer,
        rng: random.Random,
    ) -> None:
        self.name = name
        self.last_used = -math.inf
        self._make = make
        self._options = options
        self._observer = observer
        self._mailbox = Mailbox(name, options.capacity)
        self._history = RestartHistory(name, options.restarts, rng)
        self._wish = _Wish.LIVE
        self._stop_wanted = trio.Event()
        self._in_hand: list[Request] = []
        self._midway = False  # True while the actor's own code runs, so that its state may be half changed

    def __repr__(self) -> str:
        return f"<Cell {self.name} {self._wish.value} {self._mailbox!r}>"

    def __len__(self) -> int:
        return len(self._mailbox)

    # --- what others may do, without waiting ---

    def deliver(self, request: Request) -> None:
        """Put a request into the mailbox; raises MailboxFull or ActorStopped."""
        try:
            self._mailbox.put(request)
        except MailboxFull:
            self._observer.mailbox_full(self.name)
            raise

    def rest(self) -> None:
        """Passivate, if nothing waits and the actor agrees when it hears of it; otherwise nothing happens."""
        if self._wish is _Wish.LIVE:
            self._wish = _Wish.REST
            self._mailbox.poke()

    def stop(self) -> None:
        """Finish the message in hand, release all others, end."""
        self._wish = _Wish.STOP
        self._stop_wanted.set()
        self._mailbox.poke()

    # --- the life of the cell ---

    async def run(self, on_end: Callable[[], None] = lambda: None) -> None:
        """Live until stopped, or until at rest with nothing waiting; then call `on_end`, with no await in between.

        Raises:
            GaveUp: the actor failed too often.
        """
        try:
            while True:
                fault = await self._incarnation()
                if fault is not None:
                    await self._pause_after(fault)
                if self._wish is _Wish.STOP or (self._wish is _Wish.REST and not self._mailbox):
                    return
                self._wish = _Wish.LIVE
        finally:
            self._mailbox.closed = True
            self._release(self._mailbox.drop(lambda _: True), lambda: ActorStopped(f"{self.name} has stopped"))
            on_end()
            self._observer.ended(self.name)

    async def _incarnation(self) -> Exception | None:
        """One life from start to end. Returns the failure that ended it, None if it ended well."""
        actor = self._make()
        self._midway = True
        self._observer.activated(self.name)
        try:
            with trio.fail_after(self._options.start_within_s):
                await actor.started()
            self._midway = False
            await self._serve(actor)
        except BaseException as caught:
            fault, passing = split_fault(caught)
            self._release_crashed(fault)
            if passing is None:
                return fault
            if fault is not None:
                self._observer.crashed(self.name, fault, None)
            elif not self._midway:
                await self._stop_hook(actor)
            raise
        return await self._stop_hook(actor)

    async def _stop_hook(self, actor: Actor | BatchActor) -> Exception | None:
        """Let the actor save; bounded even when everything is being cancelled. Returns the failure of the hook."""
        self._release(self._in_hand, lambda: ActorStopped(f"{self.name} has stopped"))
        scope = trio.CancelScope(deadline=trio.current_time() + self._options.stop_within_s, shield=True)
        try:
            with scope:
                await actor.stopped()
        except Exception as fault:  # noqa: BLE001 - whatever the hook raises is this incarnation's failure
            if self._wish is not _Wish.STOP:
                return fault
            self._observer.crashed(self.name, fault, None)
        if scope.cancelled_caught:
            self._observer.stop_timed_out(self.name)
        return None

    async def _pause_after(self, fault: Exception) -> None:
        try:
            delay = self._history.after(fault, trio.current_time())
        except BaseException:
            self._observer.crashed(self.name, fault, None)
            raise
        self._observer.crashed(self.name, fault, delay)
        with trio.move_on_after(delay):
            await self._stop_wanted.wait()

    # --- serving ---

    async def _serve(self, actor: Actor | BatchActor) -> None:
        """Feed the actor until it is to stop, or may rest."""
        work = partial(self._one, actor) if isinstance(actor, Actor) else partial(self._batch, actor)
        turns = 0
        while self._wish is not _Wish.STOP:
            if actor.wake_at < math.inf and trio.current_time() >= actor.wake_at:
                actor.wake_at = math.inf
                await self._guarded(actor.woken())
            elif self._mailbox:
                await self._guarded(work())
            elif self._wish is _Wish.REST:
                if self._may_rest(actor):
                    return
                self._wish = _Wish.LIVE
            else:
                with trio.CancelScope(deadline=actor.wake_at):
                    await self._mailbox.wait()
                turns = 0
            turns += 1
            if turns % TURN == 0:
                await trio.lowlevel.checkpoint()

    async def _guarded(self, work: Awaitable[None]) -> None:
        self._midway = True
        await work
        self._midway = False

    def _may_rest(self, actor: Actor | BatchActor) -> bool:
        self._in_hand = [request for request in self._in_hand if request.open]
        return not self._in_hand and actor.may_passivate()

    async def _one(self, actor: Actor) -> None:
        (request,) = self._mailbox.take(1)
        if self._skip(request):
            return
        self._in_hand = [request]
        set_current_deadline(request.deadline)
        try:
            request.answer(await actor.receive(request.message))
        except Refusal as refusal:
            request.fail(refusal)
        self._in_hand = []

    async def _batch(self, actor: BatchActor) -> None:
        taken = [request for request in self._mailbox.take(actor.max_batch) if not self._skip(request)]
        if not taken:
            return
        self._in_hand = [request for request in self._in_hand if request.open] + taken
        set_current_deadline(max(request.deadline for request in taken))
        await actor.receive_batch(taken)

    def _skip(self, request: Request) -> bool:
        if not request.expired(trio.current_time()):
            return False
        self._observer.expired(self.name)
        return True

    # --- releasing askers ---

    def _release(self, requests: list[Request], error: Callable[[], Exception]) -> None:
        for request in requests:
            request.fail(error())

    def _release_crashed(self, fault: Exception | None) -> None:
        """Release all who wait, at once; messages without an asker stay for the next incarnation."""

        def crashed(*, begun: bool) -> Exception:
            error = ActorCrashed(self.name, begun=begun)
            error.__cause__ = fault
            return error

        if fault is None:
            return
        self._release(self._in_hand, lambda: crashed(begun=True))
        self._release(self._mailbox.drop(lambda request: request.asked), lambda: crashed(begun=False))
        self._in_hand = []
