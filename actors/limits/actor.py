"""Makes the limits of one worker those of all: tells the others what it has allowed, and hears what they have.

What everybody does all the time is allowed by the worker alone, at once (`Limiter`); what it has allowed is shared a
moment later, all of it in one go. What must never be too much, like attempts to sign in, is asked for before it is
allowed. While what is shared does not answer, this worker's own windows hold alone, and it is left in peace for a
moment, so that nobody waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import trio

from actors.limits.messages import Attempt, Share
from actors.limits.windows import Windows
from actors.ports import SharedLimits, StoreError, Taken, Wanted
from actors.runtime import BatchActor, Request

#: What must never be too much is allowed so much less often by a worker that does not know of the others.
ALONE = 4
#: So many keys are told at once: the script that counts them lets nobody else in meanwhile.
MOST_TOLD = 500


@dataclass(frozen=True, slots=True)
class LimitsWorld:
    """What it needs from outside.

    Attributes:
        windows: What this worker has allowed; each is told to the others `share_s` later.
        attempts: Windows of what is asked for before it is allowed.
        missed: Hears why what is shared could not be asked.
    """

    shared: SharedLimits
    windows: tuple[Windows, ...]
    attempts: Windows
    share_s: float = 0.1
    within_s: float = 0.25
    rest_s: float = 1.0
    missed: Callable[[Exception], None] = lambda _: None


class LimitsActor(BatchActor):
    """Forgets nothing in a crash: windows are kept outside of it."""

    def __init__(self, world: LimitsWorld) -> None:
        self._world = world
        self._again_at = -math.inf

    def __repr__(self) -> str:
        return f"<LimitsActor with {self._all()!r}>"

    async def started(self) -> None:
        """Go on with what the life before could not tell."""
        self._set_alarm()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Answer all attempts, in the order in which they came."""
        attempts = [request for request in requests if not isinstance(request.message, Share)]
        own = [self._take_own(request.message) for request in attempts]
        asking = [
            wanted
            for request, taken in zip(attempts, own, strict=True)
            if _all_allowed(taken)
            for wanted in request.message.wanted
        ]
        shared = await self._learn_of(asking)
        for request, taken in zip(attempts, own, strict=True):
            if not _all_allowed(taken):
                request.answer(taken)
            elif shared is None:
                request.answer(tuple(map(_alone, taken)))
            else:
                request.answer(tuple(next(shared) for _ in taken))
        self._set_alarm()

    async def woken(self) -> None:
        """Tell the others."""
        for windows in self._all():
            await self._share(windows)
        self._set_alarm()

    def _all(self) -> tuple[Windows, ...]:
        return (*self._world.windows, self._world.attempts)

    def _set_alarm(self) -> None:
        if any(windows.news for windows in self._all()):
            self.wake_at = min(self.wake_at, max(trio.current_time() + self._world.share_s, self._again_at))

    def _take_own(self, attempt: Attempt) -> tuple[Taken, ...]:
        if not isinstance(attempt, Attempt):
            raise TypeError(f"the limits do not understand {attempt!r}")
        now, own = trio.current_time(), self._world.attempts
        return tuple(own.take(each.key, each.quota, now, told=True) for each in attempt.wanted)

    async def _learn_of(self, attempts: list[Wanted]) -> Iterator[Taken] | None:
        """What came of these over all workers; None if that is not known."""
        began = trio.current_time()
        if not attempts or began < self._again_at:
            return None
        try:
            told = await self._ask(attempts)
        except (StoreError, trio.TooSlowError):
            return None
        for wanted, taken in zip(attempts, told, strict=True):
            self._world.attempts.learn(wanted.key, taken, trio.current_time(), began)
        return iter(told)

    async def _share(self, windows: Windows) -> None:
        began = trio.current_time()
        if began < self._again_at or not (telling := windows.untold(began, MOST_TOLD)):
            return
        try:
            told = await self._ask(telling)
        except StoreError:
            windows.tell_again(telling, began)
        except trio.TooSlowError:
            return  # they may yet be counted; twice would be too often
        else:
            for wanted, taken in zip(telling, told, strict=True):
                windows.learn(wanted.key, taken, trio.current_time(), began)

    async def _ask(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """Raises StoreError, trio.TooSlowError; then nobody is asked for a while."""
        try:
            with trio.fail_after(self._world.within_s):
                return await self._world.shared.take(wanted)
        except (StoreError, trio.TooSlowError) as error:
            self._again_at = trio.current_time() + self._world.rest_s
            self._world.missed(error)
            raise


def _all_allowed(taken: Sequence[Taken]) -> bool:
    return all(each.allowed for each in taken)


def _alone(own: Taken) -> Taken:
    """The part of a worker that does not know what the others have allowed."""
    part = max(1, own.limit // ALONE)
    used = own.limit - own.remaining
    return own._replace(limit=part, remaining=max(0, part - used), allowed=used <= part)
