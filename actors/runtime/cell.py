"""One live actor: a mailbox, the task that serves it, and the incarnations that follow one another on it."""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from actors.runtime.actor import Actor, AnyActor, BatchActor, PromptActor
from actors.runtime.errors import ActorCrashed, ActorStopped, MailboxFull, Refusal
from actors.runtime.faults import split_fault
from actors.runtime.mailbox import Mailbox
from actors.runtime.observer import Observer
from actors.runtime.options import CellOptions
from actors.runtime.request import Request, set_current_deadline
from actors.runtime.restarts import RestartHistory

#: After so many messages without a wait an actor lets others run; its own code need not contain a checkpoint.
TURN = 16


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
        make: Callable[[], AnyActor],
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
        self._at_rest = False  # True from its agreement until the next life begins
        self._midway = False  # True while the actor's own code runs, so that its state may be half changed
        self._prompt: PromptActor | None = None  # one that waits for messages, and may decide in the task of who sends
        self._alarm = math.inf  # until when it waits
        self._fault: Exception | None = None  # that ended its life there

    def __repr__(self) -> str:
        return f"<Cell {self.name} {self._wish.value} {self._mailbox!r}>"

    def __len__(self) -> int:
        return len(self._mailbox)

    # --- what others may do, without waiting ---

    def deliver(self, request: Request) -> None:
        """Put a request into the mailbox; raises MailboxFull or ActorStopped.

        With a prompt actor that waits for it the request is decided when this returns.
        """
        if self._prompt is not None and not (self._midway or self._mailbox or self._mailbox.closed):
            self._decide_here(self._prompt, request)
            return
        self._put(request)
        if self._wish is _Wish.REST:
            self._wish = _Wish.LIVE

    def offer(self, request: Request) -> None:
        """Put a request that is of use to the present life only, or to one that has yet to begin.

        Whoever is at rest does not get it; it keeps nobody awake. Raises MailboxFull or ActorStopped.
        """
        if self._at_rest:
            return
        self._put(request)

    def _put(self, request: Request) -> None:
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
        """Finish what is in hand, then end. Who waits in the mailbox is released now, and nothing more is taken."""
        self._wish = _Wish.STOP
        self._close()
        self._stop_wanted.set()
        self._mailbox.poke()

    # --- the life of the cell ---

    async def run(self, on_end: Callable[[], None] = lambda: None) -> None:
        """Live until stopped, or until at rest with nothing waiting; then call `on_end`, with no await in between.

        Raises:
            GaveUp: the actor failed too often.
        """
        try:
            while self._wish is not _Wish.STOP:
                fault = await self._incarnation()
                if fault is not None:
                    await self._pause_after(fault)
                if self._wish is _Wish.REST:
                    if self._at_rest and not self._mailbox:
                        return
                    self._wish = _Wish.LIVE  # after a crash too: whether it may rest only a living actor can say
        finally:
            self._release_stopped()
            self._close()
            on_end()
            self._observer.ended(self.name)

    async def _incarnation(self) -> Exception | None:
        """One life from start to end. Returns the failure that ended it, None if it ended well."""
        self._midway, self._at_rest = True, False
        self._observer.activated(self.name)
        set_current_deadline(math.inf)  # what the hooks ask of others is not part of anybody's question
        actor = None
        try:
            actor = self._make()
            if isinstance(actor, BatchActor):
                actor.backlog = self._mailbox.__len__
            with trio.fail_after(self._options.start_within_s):
                await actor.started()
            self._midway = False
            await self._serve(actor)
        except BaseException as caught:
            fault, passing = split_fault(caught)
            fault = fault or self._take_fault()
            self._release_crashed(fault)
            if passing is None:
                return fault
            self.stop()  # to be cancelled is to be stopped
            if fault is None and actor is not None and not self._midway:
                fault = await self._stop_hook(actor)
            if fault is not None:
                self._observer.crashed(self.name, fault, None)
            raise
        return await self._stop_hook(actor)

    async def _stop_hook(self, actor: AnyActor) -> Exception | None:
        """Let the actor save, and answer; bounded even when everything is being cancelled. Returns its failure."""
        set_current_deadline(math.inf)
        fault = None
        scope = trio.CancelScope(deadline=trio.current_time() + self._options.stop_within_s, shield=True)
        try:
            with scope:
                await actor.stopped()
        except Exception as raised:  # noqa: BLE001 - whatever the hook raises is this incarnation's failure
            fault = raised
            self._release_crashed(fault)
        if scope.cancelled_caught:
            self._observer.stop_timed_out(self.name)
        return fault

    async def _pause_after(self, fault: Exception) -> None:
        if self._wish is _Wish.STOP:  # there is no next time
            self._observer.crashed(self.name, fault, None)
            return
        try:
            delay = self._history.after(fault, trio.current_time())
        except BaseException:
            self._observer.crashed(self.name, fault, None)
            raise
        self._observer.crashed(self.name, fault, delay)
        with trio.move_on_after(delay):
            await self._stop_wanted.wait()

    # --- serving ---

    async def _serve(self, actor: AnyActor) -> None:
        """Feed the actor until it is to stop, or may rest."""
        work = self._work_of(actor)
        turns = 0
        while self._wish is not _Wish.STOP:
            due = actor.wake_at < math.inf and actor.wake_at <= trio.current_time()
            if due:
                await self._wake(actor)
            if self._mailbox:  # also after an alarm: neither of the two starves the other
                await work()
            elif self._wish is _Wish.REST:
                if self._may_rest(actor):
                    self._at_rest = True
                    return
                self._wish = _Wish.LIVE
            elif not due:
                await self._wait(actor)
                turns = 0
            turns += 1
            if turns % TURN == 0:
                await trio.lowlevel.checkpoint()

    def _work_of(self, actor: AnyActor) -> Callable[[], Awaitable[None]]:
        if isinstance(actor, Actor):
            return partial(self._one, actor)
        if isinstance(actor, BatchActor):
            return partial(self._batch, actor)
        return partial(self._prompt_one, actor)

    async def _wait(self, actor: AnyActor) -> None:
        self._prompt = actor if isinstance(actor, PromptActor) else None
        self._alarm = actor.wake_at
        try:
            if self._alarm == math.inf:
                await self._mailbox.wait()
            else:
                with trio.CancelScope(deadline=self._alarm):
                    await self._mailbox.wait()
        finally:
            self._prompt = None
        fault = self._take_fault()
        if fault is not None:
            raise fault

    def _take_fault(self) -> Exception | None:
        fault, self._fault = self._fault, None
        return fault

    def _may_rest(self, actor: AnyActor) -> bool:
        self._in_hand = [request for request in self._in_hand if request.open]
        return not self._in_hand and actor.may_passivate()

    async def _wake(self, actor: AnyActor) -> None:
        actor.wake_at = math.inf
        set_current_deadline(math.inf)
        self._midway = True
        await actor.woken()
        self._midway = False

    async def _one(self, actor: Actor) -> None:
        (request,) = self._mailbox.take(1)
        if self._skip(request):
            return
        self._in_hand = [request]
        set_current_deadline(request.deadline)
        self._midway = True
        try:
            request.answer(await actor.receive(request.message))
        except Refusal as refusal:
            request.fail(refusal)
        self._midway = False
        self._in_hand = []

    async def _prompt_one(self, actor: PromptActor) -> None:
        (request,) = self._mailbox.take(1)
        self._decide(actor, request)

    def _decide(self, actor: PromptActor, request: Request) -> None:
        if self._skip(request):
            return
        self._in_hand.append(request)
        self._midway = True
        try:
            actor.decide(request)
        except Refusal as refusal:
            request.fail(refusal)
        self._midway = False
        self._in_hand = [request for request in self._in_hand if request.open]

    def _decide_here(self, actor: PromptActor, request: Request) -> None:
        """In the task of who sends; the actor's own wakes only for a failure or an earlier alarm."""
        try:
            self._decide(actor, request)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it ends the incarnation and not the sender
            self._fault = fault
            self._mailbox.poke()
        else:
            if actor.wake_at < self._alarm:
                self._mailbox.poke()

    async def _batch(self, actor: BatchActor) -> None:
        taken = [request for request in self._mailbox.take(actor.max_batch) if not self._skip(request)]
        if not taken:
            return
        self._in_hand = [request for request in self._in_hand if request.open] + taken
        set_current_deadline(max(request.deadline for request in taken))  # somebody waits that long
        self._midway = True
        await actor.receive_batch(taken)
        self._midway = False

    def _skip(self, request: Request) -> bool:
        if not request.asked or not request.expired(trio.current_time()):
            return False
        self._observer.expired(self.name)
        return True

    # --- releasing askers ---

    def _close(self) -> None:
        """Take nothing more; release who waits, and count what is dropped with nobody to tell."""
        self._mailbox.closed = True
        for request in self._mailbox.drop(lambda _: True):
            if request.asked:
                request.fail(ActorStopped(f"{self.name} has stopped"))
            else:
                self._observer.dropped(self.name)

    def _release_stopped(self) -> None:
        """Release those whose message was taken and has got no answer in this life."""
        for request in self._in_hand:
            request.fail(ActorStopped(f"{self.name} has stopped", begun=True))
        self._in_hand = []

    def _release_crashed(self, fault: Exception | None) -> None:
        """Release all who wait, at once; messages without an asker stay for the next incarnation."""
        if fault is None:
            return
        waiting = self._mailbox.drop(lambda request: request.asked)
        for requests, begun in ((self._in_hand, True), (waiting, False)):
            for request in requests:
                error = ActorCrashed(self.name, begun=begun)
                error.__cause__ = fault
                request.fail(error)
        self._in_hand = []
