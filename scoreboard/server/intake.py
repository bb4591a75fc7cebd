"""How much of what has come from all sides is taken in one turn of the event loop, and what is taken before all else.

Trio asks the kernel for everything that is ready, and lets each task that this wakes take a step before it looks again.
Two thousand connections that are cut at one moment are two thousand ends in one turn, and a quarter of a second in
which nobody else is heard (``scripts/bench storm``). Asked for a portion at a time, the kernel keeps the rest in the
order in which it came, and tells it in the turns that follow: nobody is passed over, and others run between.

A score goes back and forth between us and the stores a dozen times. If each answer of a store waited behind all clients
of whom something has come, one who sends a lot on sixty connections would make everybody wait a hundred turns. So what
we have asked for is taken first, in each turn, and what came to us by itself, at a port, behind it.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from trio._core._run import GLOBAL_RUN_CONTEXT

#: An end of a connection, or a request, costs much more than one turn more (``scripts/bench storm``, ``cycles``).
PORTION = 32


class Ports:
    """Knows who came to us: the listeners of this process, and who was accepted by one."""

    def __init__(self) -> None:
        self._names = set[object]()

    def __repr__(self) -> str:
        return f"<Ports {self._names}>"

    def know(self, port: int) -> None:
        """Who is accepted there came to us."""
        self._names.add(port)

    def came(self, descriptor: int) -> bool:
        """Whether it is one of those. A listener is known, too, from the first time that it is asked for."""
        with suppress(OSError):  # it is no socket at all, or closed
            each = socket.socket(fileno=descriptor)
            try:
                return self._is_theirs(each)
            finally:
                each.detach()
        return False

    def _is_theirs(self, each: socket.socket) -> bool:
        name = each.getsockname()
        port = name[1] if each.family in (socket.AF_INET, socket.AF_INET6) else name
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            self._names.add(port)
        return port in self._names


class _Portioned:
    """As much of an epoll object as Trio uses: one for what we have asked for, and one in it for who came to us.

    Args:
        first: Trio's own.
        most: The portion of each.
        taken: Is told in each turn how much was taken.
        came: Whether a descriptor is of who came to us.
    """

    __slots__ = ("_came", "_first", "_most", "_of", "_rest", "_taken")

    def __init__(
        self, first: select.epoll, most: int, taken: Callable[[int], None], came: Callable[[int], bool]
    ) -> None:
        self._first, self._rest = first, select.epoll()
        self._most, self._taken, self._came = most, taken, came
        self._of: dict[int, select.epoll] = {}  # by descriptors, also such as are closed by now
        first.register(self._rest, select.EPOLLIN)

    def poll(self, timeout: float, maxevents: int) -> list[tuple[int, int]]:
        """As epoll's; `maxevents` is Trio's, who asks for as much as there could be."""
        events = self._first.poll(timeout, min(maxevents + 1, self._most))
        rest = self._rest.fileno()
        if any(descriptor == rest for descriptor, _ in events):
            events = [event for event in events if event[0] != rest]
            events += self._rest.poll(0, self._most)
        self._taken(len(events))
        return events

    def register(self, descriptor: int, flags: int) -> None:
        """As epoll's, for one that is new here."""
        of = self._of[descriptor] = self._rest if self._came(descriptor) else self._first
        of.register(descriptor, flags)

    def modify(self, descriptor: int, flags: int) -> None:
        """As epoll's; raises OSError for one that is new here: also one that has the number of one that is closed."""
        self._of.get(descriptor, self._first).modify(descriptor, flags)

    def unregister(self, descriptor: int) -> None:
        """As epoll's."""
        self._of.pop(descriptor, self._first).unregister(descriptor)

    def close(self) -> None:
        """As epoll's."""
        self._rest.close()
        self._first.close()


def take_in_portions(
    most: int = PORTION,
    taken: Callable[[int], None] = lambda _: None,
    came: Callable[[int], bool] | None = None,
) -> None:
    """From now on, until this run of Trio ends; changes nothing where Trio waits in another way than with epoll.

    Trio has no setting for that, so its inner object is exchanged for one that asks for less.

    Args:
        most: The portion of what we asked for, and that of who came to us.
        taken: Is told in each turn how much was taken.
        came: Whether a descriptor is of who came to us; see `Ports`.
    """
    manager = GLOBAL_RUN_CONTEXT.runner.io_manager
    epoll = getattr(manager, "_epoll", None)
    if hasattr(select, "epoll") and isinstance(epoll, select.epoll):
        manager._epoll = cast(select.epoll, _Portioned(epoll, most, taken, came or Ports().came))  # noqa: SLF001
