"""Says whether one more is allowed: first by what this worker knows, then by what all workers share.

Who is refused here costs nobody else anything. All others who wait are asked for in one go. While what is shared does
not answer, this worker's own windows hold alone, and it is left in peace for a moment, so that nobody waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import trio

from actors.limits.messages import Take
from actors.limits.windows import Windows
from actors.ports import SharedLimits, StoreError, Taken, Wanted
from actors.runtime import BatchActor, Request

#: What is strict is allowed so much less often by a worker that does not know of the others.
ALONE = 4


@dataclass(frozen=True, slots=True)
class LimitsWorld:
    """What it needs from outside. `missed` hears why what is shared could not be asked."""

    shared: SharedLimits
    within_s: float = 0.25
    rest_s: float = 1.0
    missed: Callable[[Exception], None] = lambda _: None
    windows: Callable[[], Windows] = field(default=Windows)


class LimitsActor(BatchActor):
    """Keeps the windows of one worker. A crash forgets them; those that are shared are where they were."""

    def __init__(self, world: LimitsWorld) -> None:
        self._world = world
        self._own = world.windows()
        self._again_at = -math.inf

    def __repr__(self) -> str:
        return f"<LimitsActor with {self._own!r}>"

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Answer all of them, in the order in which they came."""
        own = [self._take_own(request.message) for request in requests]
        asking = [
            wanted
            for request, taken in zip(requests, own, strict=True)
            if all(each.allowed for each in taken)
            for wanted in request.message.wanted
        ]
        shared = iter(told) if (told := await self._take_shared(asking)) is not None else None
        for request, taken in zip(requests, own, strict=True):
            request.answer(self._judged(request.message, taken, shared))

    def _take_own(self, take: Take) -> tuple[Taken, ...]:
        if not isinstance(take, Take):
            raise TypeError(f"the limits do not understand {take!r}")
        now = trio.current_time()
        return tuple(self._own.take(each.key, each.quota, now) for each in take.wanted)

    async def _take_shared(self, wanted: list[Wanted]) -> list[Taken] | None:
        """None where it is not known."""
        if not wanted or trio.current_time() < self._again_at:
            return None
        try:
            with trio.fail_after(self._world.within_s):
                return await self._world.shared.take(wanted)
        except (StoreError, trio.TooSlowError) as error:
            self._again_at = trio.current_time() + self._world.rest_s
            self._world.missed(error)
            return None

    def _judged(self, take: Take, own: tuple[Taken, ...], shared: object) -> tuple[Taken, ...]:
        if not all(each.allowed for each in own):
            return own
        if shared is None:
            return tuple(map(_alone, own)) if take.strict else own
        return tuple(self._learnt(wanted, next(shared)) for wanted in take.wanted)  # type: ignore[call-overload]

    def _learnt(self, wanted: Wanted, taken: Taken) -> Taken:
        self._own.learn(wanted.key, taken, trio.current_time())
        return taken


def _alone(own: Taken) -> Taken:
    """The part of a worker that does not know what the others have allowed."""
    part = max(1, own.limit // ALONE)
    used = own.limit - own.remaining
    return replace(own, limit=part, remaining=max(0, part - used), allowed=used <= part)
