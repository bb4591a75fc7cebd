"""How much of what has come from all sides is taken in one turn of the event loop.

Trio asks the kernel for everything that is ready, and lets each task that this wakes take a step before it looks again.
Two thousand connections that are cut at one moment are two thousand ends in one turn, and a quarter of a second in
which nobody else is heard (``scripts/bench storm``). Asked for a portion at a time, the kernel keeps the rest in the
order in which it came, and tells it in the turns that follow: nobody is passed over, and others run between.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import cast

from trio._core._run import GLOBAL_RUN_CONTEXT

#: An end of a connection, or a request, costs much more than one turn more (``scripts/bench storm``, ``cycles``).
PORTION = 32


class _Portioned:
    """As much of an epoll object as Trio uses."""

    __slots__ = ("_most", "_poll", "_taken", "close", "modify", "register", "unregister")

    def __init__(self, epoll: select.epoll, most: int, taken: Callable[[int], None]) -> None:
        self._poll = epoll.poll
        self._most = most
        self._taken = taken
        self.close = epoll.close
        self.modify = epoll.modify
        self.register = epoll.register
        self.unregister = epoll.unregister

    def poll(self, timeout: float, maxevents: int) -> list[tuple[int, int]]:
        """As epoll's; `maxevents` is Trio's, who asks for as much as there could be."""
        events = self._poll(timeout, min(maxevents, self._most))
        self._taken(len(events))
        return events


def take_in_portions(most: int = PORTION, taken: Callable[[int], None] = lambda _: None) -> None:
    """From now on, until this run of Trio ends; changes nothing where Trio waits in another way than with epoll.

    Trio has no setting for that, so its inner object is exchanged for one that asks for less.

    Args:
        most: The portion.
        taken: Is told in each turn how much was taken.
    """
    manager = GLOBAL_RUN_CONTEXT.runner.io_manager
    epoll = getattr(manager, "_epoll", None)
    if hasattr(select, "epoll") and isinstance(epoll, select.epoll):
        manager._epoll = cast(select.epoll, _Portioned(epoll, most, taken))  # noqa: SLF001
