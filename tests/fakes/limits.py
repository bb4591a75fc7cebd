"""Shared limits in memory."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from actors.limits.windows import Windows
from actors.ports import Taken, Wanted
from tests.fakes.faults import Faults


class FakeSharedLimits:
    """`SharedLimits` by Trio's clock; `faults` are its switches."""

    def __init__(self) -> None:
        self.windows = Windows()
        self.faults = Faults()

    async def take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """See `SharedLimits.take`."""
        return await self.faults.around(lambda: self._take(wanted))

    def _take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        now = trio.current_time()
        return [self.windows.take(each.key, each.quota, now) for each in wanted]
