"""Refuses at once while a store is away, instead of letting everybody find that out, each after a wait of its own.

While it is away one task asks it again and again. Nobody's request is the one that tries.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from actors.ports import StoreUnavailable
from scoreboard.stores.ended import is_our_end
from scoreboard.stores.words import in_words

log = logging.getLogger(__name__)

#: So many units of work in a row that lost the store; a single one may be a session that somebody ended.
LOSSES = 2
PAUSE_S = 0.25
#: Whoever heard nothing for so long and then gave up has lost it, too: most wait less long than a driver does.
UNHEARD_S = 1.0
#: That it cannot work, as with a full disk, or that our connections are too few, is told again after so long: everybody
#: who asks hears the same.
TOLD_AGAIN_S = 10.0


class Breaker:
    """Whether it makes sense to ask a store. For asyncio.

    Args:
        name: The store, as operators call it.
        probe: Asks the store whether it can do all that we want; raises StoreUnavailable, or takes `within_s` at most.
        within_s: The bound of one probe, in seconds.
        losses: How many units in a row must lose it, before it is taken to be away.
        pause_s: Between two probes, in seconds.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[None]],
        *,
        within_s: float = 2.0,
        losses: int = LOSSES,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._name = name
        self._probe = probe
        self._within_s = within_s
        self._losses = losses
        self._pause_s = pause_s
        self._lost = 0
        self._heard = 0
        self._since = 0.0
        self._why = ""
        self._told_until = 0.0
        self._seeking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Breaker, {self._name} is {'away' if self.away else 'there'}>"

    @property
    def away(self) -> bool:
        """Whether nobody should ask it now."""
        return self._seeking is not None

    @property
    def away_s(self) -> float:
        """For how long it has been away, in seconds; 0 while it is there. For the loop's thread, asyncio or not."""
        return 0.0 if self._seeking is None else self._seeking.get_loop().time() - self._since

    @property
    def why(self) -> str:
        """What was heard of it last, while it is away; nothing while it is there. For the loop's thread."""
        return self._why if self.away else ""

    def check(self) -> None:
        """Raises StoreUnavailable while it is away."""
        if self.away:
            seconds = asyncio.get_running_loop().time() - self._since
            raise StoreUnavailable(f"{self._name} has been away for {seconds:.1f} s; it is asked until it is back")

    def answered(self) -> None:
        """A unit of work heard from it, be it a refusal."""
        self._lost = 0
        self._heard += 1

    @property
    def heard(self) -> int:
        """How often it was heard: two numbers that are equal say that nobody heard of it between them."""
        return self._heard

    def lost(self, why: Exception) -> None:
        """A unit of work did not hear from it, or heard that it cannot serve."""
        self._lost += 1
        if self._lost < self._losses or self.away:
            return
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        self._why = in_words(why)
        log.warning("%s is away: %s", self._name, self._why)
        self._seeking = loop.create_task(self._seek())

    def crowded(self, why: Exception, heard: int) -> None:
        """Somebody waited for a connection in vain; so often it had been `heard` before.

        If others heard of it meanwhile it is there, and it is we who ask for more than our connections carry.
        """
        if heard == self._heard:
            self.lost(why)
        else:
            self._tell("is there, but is asked for more than our connections to it carry", why)

    def troubled(self, why: Exception, *, unforeseen: bool = False) -> None:
        """It answers, but cannot work: operators hear of it, and not of each time.

        It says so itself, or it is `unforeseen`: then the fault may be ours, and the log shows where it was noticed.
        """
        self._tell("cannot work", why, trace=unforeseen)

    def _tell(self, what: str, why: BaseException, *, trace: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._told_until:
            self._told_until = now + TOLD_AGAIN_S
            log.warning("%s %s: %s", self._name, what, in_words(why), exc_info=why if trace else None)

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Around what waits for the store: notices if it is given up before anybody heard anything."""
        heard, began = self._heard, asyncio.get_running_loop().time()
        try:
            yield
        except asyncio.CancelledError:
            waited_s = asyncio.get_running_loop().time() - began
            if waited_s >= UNHEARD_S and heard == self._heard:
                self.lost(StoreUnavailable(f"nothing was heard of it for {waited_s:.1f} s"))
            raise

    def close(self) -> None:
        """Stop asking."""
        if self._seeking is not None:
            self._seeking.cancel()

    async def _seek(self) -> None:
        loop = asyncio.get_running_loop()
        while not await self._found():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(self._pause_s)
        self._lost, self._seeking = 0, None
        log.warning("%s is back after %.1f s", self._name, loop.time() - self._since)

    async def _found(self) -> bool:
        try:
            async with asyncio.timeout(self._within_s):
                await self._probe()
        except (StoreUnavailable, TimeoutError):
            return False
        except (Exception, asyncio.CancelledError) as error:
            if is_our_end(error):
                raise
            # Were it the end of the search, the store would be away for ever.
            self._tell("could not be looked for, and is looked for again", error, trace=True)
            return False
        return True
