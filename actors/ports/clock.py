"""The time of day."""

from __future__ import annotations

from typing import Protocol

#: As the end of a token that must never be forgotten: the last second of the year 9999.
NEVER_US = 253_402_300_799_000_000

#: The clocks of two servers may differ by this much before what one of them has made seems to come from the future.
CLOCK_SKEW_US = 5_000_000


class WallClock(Protocol):
    """The time of day, given from outside so that tests can set it."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...
