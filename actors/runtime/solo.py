"""A single actor with a name, for as long as a block runs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from actors.runtime.actor import AnyActor
from actors.runtime.cell import Cell
from actors.runtime.observer import Observer
from actors.runtime.options import CellOptions
from actors.runtime.ref import Ref


@asynccontextmanager
async def running_actor(
    name: str,
    make: Callable[[], AnyActor],
    *,
    rng: random.Random,
    options: CellOptions | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[Ref]:
    """Run one actor while the body runs; yields the way to send to it.

    Raises:
        GaveUp: it failed too often; the body has been cancelled. It comes inside an ExceptionGroup, as from a nursery.
    """
    bounds = options or CellOptions()
    observer = observer or Observer()
    cell = Cell(name, make, bounds, observer=observer, rng=rng)
    observer.opened(name, cell.__len__, bounds.capacity)
    ended = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cell.run, ended.set, name=name)
        try:
            yield Ref(name, cell.deliver)
        finally:
            cell.stop()
            # Shielded, since a cancellation raised here would replace the error of the body. It costs no time: the
            # actor is cancelled too, and the nursery waits for it anyway.
            with trio.move_on_after(2 * bounds.stop_within_s, shield=True):
                await ended.wait()
            nursery.cancel_scope.cancel()
