"""How many rows a service may send: a pure fixed window, opened by its first batch."""

from __future__ import annotations


class RowWindow:
    """At most `count` rows in `period_s` seconds (None: any number). A batch passes whole or not at all.

    The count may be set while a window is open; what was used counts against it.
    """

    __slots__ = ("_ends_us", "_period_us", "_used", "count")

    def __init__(self, count: int | None, period_s: float = 60.0) -> None:
        self.count = count
        self._period_us = round(period_s * 1_000_000)
        self._used = 0
        self._ends_us = 0

    def __repr__(self) -> str:
        return f"<RowWindow {self._used} of {self.count or 'any number'}>"

    def take(self, rows: int, now_us: int) -> float | None:
        """Use so many. None if they were allowed; else none is used, and these are the seconds to the next window."""
        if self.count is None:
            return None
        if now_us >= self._ends_us:
            self._used = 0
            self._ends_us = now_us + self._period_us
        if self._used + rows > self.count:
            return (self._ends_us - now_us) / 1_000_000
        self._used += rows
        return None

    def open_at(self, now_us: int) -> bool:
        """True while something counts that must not be forgotten."""
        return self.count is not None and now_us < self._ends_us
