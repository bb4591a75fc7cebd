"""What all connections of one address may send together: who has two thousand of them is still one client of many."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

from scoreboard.leaky_buckets import LeakyBuckets


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames of any kind that may be sent: a second in the long run, and at once. Infinite is no limit."""

    per_s: float
    burst: float


_NO_LIMIT = FrameRate(math.inf, math.inf)


class FrameShares:
    """Tells how long to wait before frames of an address are handled. Synchronous.

    Those of one address are handled in the order in which they were asked for, evenly spread over time: whatever a
    crowd sends, it is a fixed part of the processor's time, and others find their turn between any two.

    Args:
        rate: For each address, of who has signed in and who has not.
        site_of: What of an address has one share.
    """

    def __init__(self, rate: FrameRate = _NO_LIMIT, site_of: Callable[[str], str] = str) -> None:
        self._rate = rate
        self._site_of = site_of
        self._buckets = LeakyBuckets(rate.per_s, rate.burst)

    def __repr__(self) -> str:
        return f"<FrameShares of {self._rate}, {len(self._buckets)} addresses>"

    def site(self, address: str | None) -> str | None:
        """What to ask with; None for who has no share, because it is not known who it is, or there is no limit."""
        return None if address is None or self._rate.per_s == math.inf else sys.intern(self._site_of(address))

    def wait_for(self, site: str, frames: int, now: float, within_s: float = math.inf) -> float:
        """So many more have come from there: seconds to wait before they are handled.

        Where that would be longer than `within_s`, they have no turn.
        """
        return self._buckets.wait_for(site, frames, now, within_s)
