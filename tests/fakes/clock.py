"""The time of day, as a test sets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FakeClock:
    """A `WallClock` that stands until it is moved."""

    us: int = 1_750_000_000_000_000

    def now_us(self) -> int:
        """The moment it was set to."""
        return self.us

    def move(self, seconds: float) -> None:
        """Let time pass (or go back)."""
        self.us += round(seconds * 1_000_000)
