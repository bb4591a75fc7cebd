"""One look for all who want one: whoever asks, however often, costs what is looked at a bounded part of its time."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

Seen = TypeVar("Seen")


class OneLook(Generic[Seen]):
    """Looks once for all who ask meanwhile, and at most one look is under way.

    Args:
        look: Looks; has a bound of its own. What it raises only that one hears in whose task it looked: the next one
            who waits looks then. So it is with one who gives up.
        fresh_s: What began to be seen so many seconds before somebody asks will do. With 0 nobody hears of anything
            from before the question, and those who come while somebody looks share the next look.
    """

    def __init__(self, look: Callable[[], Awaitable[Seen]], fresh_s: float = 0.0) -> None:
        self._look = look
        self._fresh_s = fresh_s
        self._began = -math.inf
        self._seen: list[Seen] = []
        self._looking: trio.Event | None = None

    def __repr__(self) -> str:
        return f"<OneLook, {'nobody looks' if self._looking is None else 'somebody looks'}>"

    async def __call__(self) -> Seen:
        """What is seen."""
        oldest = trio.current_time() - self._fresh_s
        while not self._seen or self._began < oldest:
            if self._looking is None:
                await self._look_anew()
            else:
                await self._looking.wait()
        return self._seen[0]

    async def _look_anew(self) -> None:
        began, looking = trio.current_time(), trio.Event()
        self._looking = looking
        try:
            self._seen = [await self._look()]
            self._began = began
        finally:
            self._looking = None
            looking.set()
