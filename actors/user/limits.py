"""How often something may happen: a pure fixed window, opened by the first request as document A does it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` times in `period_s` seconds."""

    count: int
    period_s: float = 60.0


class Window:
    """Counts against one limit. Without a limit everything is allowed, but still counted."""

    __slots__ = ("_ends_us", "_limit", "_used")

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit
        self._used = 0
        self._ends_us = 0

    def __repr__(self) -> str:
        return f"<Window {self._used} of {self._limit.count if self._limit else 'any number'}>"

    def take(self, now_us: int) -> float | None:
        """Use one. None if it was allowed, else the seconds until the next window."""
        if self._limit is None:
            return None
        if now_us >= self._ends_us:
            self._used = 0
            self._ends_us = now_us + round(self._limit.period_s * 1_000_000)
        self._used += 1
        if self._used <= self._limit.count:
            return None
        return (self._ends_us - now_us) / 1_000_000

    def open_at(self, now_us: int) -> bool:
        """True while something counts that must not be forgotten."""
        return self._limit is not None and now_us < self._ends_us
