"""The ways in which a fake store may be stuck or fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import trio

Result = TypeVar("Result")


@dataclass(slots=True)
class Faults:
    """Switches of one fake store. Errors wait in two queues; each call takes at most one from each."""

    delay_s: float = 0.0
    calls: int = 0
    _before: deque[Exception | None] = field(default_factory=deque)
    _after: deque[Exception | None] = field(default_factory=deque)
    _gate: trio.Event | None = None

    def fail_before(self, *errors: Exception | None) -> None:
        """The next calls raise these and do nothing; None lets one call pass."""
        self._before.extend(errors)

    def fail_after(self, *errors: Exception | None) -> None:
        """The next calls do their work and then raise these; None lets one call pass."""
        self._after.extend(errors)

    def hold(self) -> trio.Event:
        """All calls from now on wait, before they do anything, until the returned event is set."""
        self._gate = trio.Event()
        return self._gate

    async def around(self, act: Callable[[], Result]) -> Result:
        """Do `act` in one piece, with the faults that are due before and after it."""
        self.calls += 1
        await trio.lowlevel.checkpoint()
        if self._gate is not None:
            await self._gate.wait()
        if self.delay_s:
            await trio.sleep(self.delay_s)
        if self._before and (error := self._before.popleft()) is not None:
            raise error
        result = act()
        if self._after and (error := self._after.popleft()) is not None:
            raise error
        return result
