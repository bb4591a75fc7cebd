"""Actors by key: the first message makes one, idleness ends it, and for each key there is never more than one."""

from __future__ import annotations

import math
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Generic, TypeVar

import trio

from actors.runtime.actor import AnyActor
from actors.runtime.cell import Cell
from actors.runtime.errors import ActorStopped, GaveUp, TooManyActors
from actors.runtime.observer import Observer
from actors.runtime.options import CellOptions
from actors.runtime.promise import Promise
from actors.runtime.ref import Ref
from actors.runtime.request import Question, Request, deadline_of

K = TypeVar("K", bound=str)
R = TypeVar("R")


class Directory(Generic[K]):
    """Keyed actors of one kind. Use it inside ``async with directory.running():``.

    `idle_after_s` seconds after its last message an actor is passivated; `max_live` bounds how many live at once.
    When one fails too often it is dropped and `on_give_up` is called with its key and errors; what that raises ends
    the directory. Without it the `GaveUp` itself does.
    """

    def __init__(  # noqa: PLR0913 - all but the first three have a default
        self,
        name: str,
        make: Callable[[K], AnyActor],
        *,
        rng: random.Random,
        options: CellOptions | None = None,
        observer: Observer | None = None,
        idle_after_s: float = math.inf,
        max_live: int = 100_000,
        on_give_up: Callable[[K, GaveUp], None] | None = None,
    ) -> None:
        if not idle_after_s > 0:
            raise ValueError(f"{name}: idle_after_s must be above 0, not {idle_after_s}")
        self.name = name
        self._make = make
        self._rng = rng
        self._options = options or CellOptions()
        self._observer = observer or Observer()
        self._idle_after_s = idle_after_s
        self._max_live = max_live
        self._on_give_up = on_give_up
        self._cells: OrderedDict[K, Cell] = OrderedDict()  # least recently used first
        self._nursery: trio.Nursery | None = None
        self._context = Context()
        self._emptied = trio.Event()

    def __repr__(self) -> str:
        return f"<Directory {self.name}, {len(self._cells)} live>"

    @property
    def live(self) -> int:
        """How many actors are in memory."""
        return len(self._cells)

    @property
    def waiting(self) -> int:
        """How many messages wait in all mailboxes together."""
        return sum(len(cell) for cell in self._cells.values())

    @property
    def keys(self) -> tuple[K, ...]:
        """Those whose actors are in memory."""
        return tuple(self._cells)

    def ref(self, key: K) -> Ref:
        """A way to send to the actor of that key, whenever it lives."""
        return Ref(f"{self.name}/{key}", lambda request: self._deliver(key, request))

    def tell(self, key: K, message: Any) -> None:
        """As `Ref.tell`; may also raise TooManyActors."""
        self._deliver(key, Request(message))

    def offer(self, key: K, message: Any) -> None:
        """Tell an actor what is of use to it only while it is in memory. This activates nobody and keeps nobody awake.

        An actor that reads all it needs when it starts misses nothing so: whoever is in memory when something happens
        is told of it, and whoever is not will read it. Raises MailboxFull.
        """
        cell = self._cells.get(key)
        if cell is not None:
            with suppress(ActorStopped):
                cell.offer(Request(message))

    async def ask(self, key: K, message: Question[R], *, within: float) -> R:
        """As `Ref.ask`; may also raise TooManyActors."""
        request = Request.question(message, within)
        self._deliver(key, request)
        answer: R = await request.wait()
        return answer

    def promise(
        self, key: K, message: Question[R], *, within: float, settled: Callable[[Promise[R]], None]
    ) -> Promise[R]:
        """Ask without waiting: the outcome goes to `settled`. Who asks watches the deadline; see `Promise`.

        Raises:
            MailboxFull, TooManyActors, ActorStopped: not taken; `settled` will not be called.
            ValueError: `within` is no bound, and there is no deadline to inherit.
        """
        promised = Promise(message, deadline_of(message, within), settled)
        self._deliver(key, promised)
        return promised

    def _deliver(self, key: K, request: Request) -> None:
        # No await from here to the put: a cell found alive is alive when it gets the message.
        cell = self._cells.get(key)
        if cell is None:
            cell = self._activate(key)
        cell.deliver(request)
        cell.last_used = trio.current_time()
        self._cells.move_to_end(key)

    def _activate(self, key: K) -> Cell:
        if self._nursery is None:
            raise ActorStopped(f"{self.name} is not running")
        if len(self._cells) >= self._max_live:
            raise TooManyActors(f"{self.name} has {self._max_live} live actors")
        cell = Cell(
            f"{self.name}/{key}", lambda: self._make(key), self._options, observer=self._observer, rng=self._rng
        )
        self._cells[key] = cell
        # An actor belongs to the directory and not to who happens to send first: neither that sender's deadline nor
        # what its logs are bound to shall stay with the actor for life.
        start = partial(self._nursery.start_soon, self._run_cell, key, cell, name=cell.name)
        self._context.copy().run(start)
        return cell

    async def _run_cell(self, key: K, cell: Cell) -> None:
        def forget() -> None:
            del self._cells[key]
            if not self._cells:
                self._emptied.set()

        try:
            await cell.run(forget)
        except GaveUp as error:
            if self._on_give_up is None:
                raise
            self._on_give_up(key, error)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Directory[K]]:
        """Run the actors while the body runs. At its end all are stopped, each within its bound.

        What the body raises comes inside an ExceptionGroup, as from a nursery.
        """
        if self._nursery is not None:
            raise RuntimeError(f"{self.name} is running already")
        self._observer.opened(self.name, lambda: self.waiting, self._options.capacity)
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._context = copy_context()
            nursery.start_soon(self._sweep, name=f"{self.name} sweep")
            try:
                yield self
            finally:
                self._nursery = None
                await self._stop_all()
                nursery.cancel_scope.cancel()

    async def _stop_all(self) -> None:
        self._emptied = trio.Event()
        for cell in self._cells.values():
            cell.stop()
        if self._cells:
            # Shielded, since a cancellation raised here would replace the error of the body. It costs no time: the
            # actors are cancelled too, and the nursery waits for them anyway.
            with trio.move_on_after(self._options.stop_within_s, shield=True):
                await self._emptied.wait()

    async def _sweep(self) -> None:
        """Now and then send those to rest that were not used for long; they are at the front of the order."""
        if self._idle_after_s == math.inf:
            return
        while True:
            await trio.sleep(self._idle_after_s / 4)
            horizon = trio.current_time() - self._idle_after_s
            idle = []
            for key, cell in self._cells.items():
                if cell.last_used > horizon:
                    break
                idle.append((key, cell))
            for key, cell in idle:
                cell.rest()
                cell.last_used = trio.current_time()  # one that may not rest yet is asked again a while later
                self._cells.move_to_end(key)
