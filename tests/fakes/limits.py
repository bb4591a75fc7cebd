"""Shared limits in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from actors.ports import Quota, Taken, Wanted
from tests.fakes.faults import Faults


@dataclass
class _Kept:
    used: int = 0
    ends_at: float = 0.0
    strikes: int = 0
    forgiven_at: float = 0.0
    exceeded: bool = False


class FakeSharedLimits:
    """`SharedLimits` by Trio's clock; `faults` are its switches, `counted` all that it was told."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.counted: list[Wanted] = []
        self._kept: dict[str, _Kept] = {}

    def empty(self) -> None:
        """Forget everything, as a cache may."""
        self._kept.clear()

    async def take(self, wanted: Sequence[Wanted]) -> list[Taken]:
        """See `SharedLimits.take`."""
        return await self.faults.around(lambda: [self._take(each, trio.current_time()) for each in wanted])

    def _take(self, wanted: Wanted, now: float) -> Taken:
        self.counted.append(wanted)
        quota, at = wanted.quota, now - wanted.ago_s
        kept = self._kept.setdefault(wanted.key, _Kept())
        if at >= kept.ends_at - quota.period_s / 200:
            strikes = 0 if at >= kept.forgiven_at else kept.strikes
            kept = self._kept[wanted.key] = _Kept(0, at + quota.period_s, strikes, kept.forgiven_at)
        kept.used += wanted.count
        if (wanted.refused or kept.used > quota.count) and not kept.exceeded:
            self._strike(kept, quota)
        left = max(0, quota.count - kept.used)
        return Taken(quota.count, left, max(0.0, kept.ends_at - now), kept.used <= quota.count)

    def _strike(self, kept: _Kept, quota: Quota) -> None:
        kept.exceeded = True
        kept.ends_at += max(0.0, min(quota.period_s * 2**kept.strikes, quota.most_s) - quota.period_s)
        kept.strikes += 1
        kept.forgiven_at = kept.ends_at + quota.forgiven_s
