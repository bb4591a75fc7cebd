"""The bounded queue in front of one actor. Putting never waits; only the actor's own task takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from actors.runtime.errors import ActorStopped, MailboxFull
from actors.runtime.request import Request


class Mailbox:
    """Requests in order of arrival, at most `capacity`. It outlives the incarnations that it feeds."""

    __slots__ = ("_consumer", "_queue", "capacity", "closed", "name", "refused")

    def __init__(self, name: str, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"{name}: a mailbox needs a capacity of at least 1, not {capacity}")
        self.name = name
        self.capacity = capacity
        self.closed = False
        self.refused = 0
        self._queue: deque[Request] = deque()
        self._consumer: trio.lowlevel.Task | None = None

    def __repr__(self) -> str:
        return f"<Mailbox {self.name} {len(self._queue)}/{self.capacity}{' closed' if self.closed else ''}>"

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, request: Request) -> None:
        """Add a request at the end.

        Raises:
            ActorStopped: the mailbox is closed.
            MailboxFull: it is at its bound; counted in `refused`.
        """
        if self.closed:
            raise ActorStopped(f"{self.name} has stopped")
        if len(self._queue) >= self.capacity:
            self.refused += 1
            raise MailboxFull(f"{self.name} has {self.capacity} messages waiting")
        self._queue.append(request)
        self.poke()

    def take(self, limit: int) -> list[Request]:
        """The oldest requests, at most `limit`, removed from the queue."""
        count = min(limit, len(self._queue))
        return [self._queue.popleft() for _ in range(count)]

    def drop(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Remove and return the requests for which `unwanted` holds; the others keep their order."""
        dropped = [request for request in self._queue if unwanted(request)]
        if dropped:
            self._queue = deque(request for request in self._queue if not unwanted(request))
        return dropped

    def poke(self) -> None:
        """Wake the consumer, if it waits, so that it looks around."""
        if self._consumer is not None:
            trio.lowlevel.reschedule(self._consumer)
            self._consumer = None

    async def wait(self) -> None:
        """Wait until somebody puts or pokes. The caller has looked first: there is no checkpoint in between."""
        self._consumer = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._consumer = None
        return trio.lowlevel.Abort.SUCCEEDED
