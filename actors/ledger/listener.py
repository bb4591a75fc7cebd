"""Listens to the event log: one reader with a place in it, which waits for the next entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import trio

from actors.ledger.messages import Deaf, GoToEnd, Others
from actors.ports import EventLog, Heard, StoreUnavailable
from actors.runtime import ActorError, BatchActor, Ref, Request

#: So many entries are read at once.
ENTRIES = 50


@dataclass(frozen=True, slots=True)
class ListenerWorld:
    """What the listener needs from outside. `follower` is told all that others write; it is given `follower_within_s`.

    Two readings are `breath_s` apart, and one waits `wait_s` for an entry; both bound how long a stop takes. A log that
    does not answer is asked again after `retry_s`. `skipped` hears that the place was given up, and why.
    """

    log: EventLog
    follower: Ref
    skipped: Callable[[str], None] = lambda _: None
    breath_s: float = 0.1
    wait_s: float = 0.5
    retry_s: float = 1.0
    log_within_s: float = 4.0
    follower_within_s: float = 5.0


class ListenerActor(BatchActor):
    """Begins at the end of the log, and goes there again whenever its place may be lost: the store has the rest."""

    def __init__(self, world: ListenerWorld) -> None:
        self._world = world
        self._place: str | None = None  # None: find the end

    def __repr__(self) -> str:
        return f"<ListenerActor at {self._place}>"

    async def started(self) -> None:
        """Nothing is heard yet."""
        self.wake_at = trio.current_time()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Go to the end."""
        for request in requests:
            if not isinstance(request.message, GoToEnd):
                raise TypeError(f"a listener does not understand {request.message!r}")
        self._give_up_place("nothing was heard of what is on disk")
        self.wake_at = trio.current_time()

    async def woken(self) -> None:
        """Read what is new, or wait a little for it."""
        rest_s = self._world.breath_s
        try:
            with trio.fail_after(self._world.log_within_s):
                heard = await self._heard()
        except (StoreUnavailable, trio.TooSlowError):
            self._place = None
            self._tell_deaf(deaf=True)
            rest_s = self._world.retry_s
        else:
            await self._pass_on(heard)
        self.wake_at = trio.current_time() + rest_s

    async def _heard(self) -> Heard:
        place = self._place
        if place is None:
            place = await self._world.log.end()
            self._tell_deaf(deaf=False)
        heard = await self._world.log.read(place, ENTRIES, self._world.wait_s)
        self._place = heard.position
        return heard

    async def _pass_on(self, heard: Heard) -> None:
        if not heard.entries:
            return
        try:
            await self._world.follower.ask(Others(heard.entries), within=self._world.follower_within_s)
        except ActorError:
            self._give_up_place("what was heard could not be taken in")

    def _give_up_place(self, why: str) -> None:
        if self._place is not None:
            self._world.skipped(why)
        self._place = None

    def _tell_deaf(self, *, deaf: bool) -> None:
        with suppress(ActorError):  # then it has more to do than it can, and is told with the next change
            self._world.follower.tell(Deaf(deaf))
