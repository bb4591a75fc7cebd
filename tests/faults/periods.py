"""The days, weeks and months of a zone with one offset, counted here anew: nothing of the server's own calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

EPOCH = date(1970, 1, 1)
DAY_US = 86_400 * 1_000_000
KINDS = ("DAILY", "WEEKLY", "MONTHLY")


class Stretch(NamedTuple):
    """One period: its name in the archive, and from when until when it goes, in microseconds since the epoch."""

    label: str
    start_us: int
    end_us: int


class Periods:
    """Those of a zone that is so many seconds ahead of UTC."""

    def __init__(self, offset_s: int) -> None:
        self._offset_us = offset_s * 1_000_000

    def holding(self, kind: str, moment_us: int) -> Stretch:
        """The one in which that moment lies."""
        first = _first(kind, EPOCH + timedelta(days=(moment_us + self._offset_us) // DAY_US))
        after = _first(kind, first + timedelta(days={"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31}[kind]))
        label = {"DAILY": f"{first}", "WEEKLY": f"{first:%G-W%V}", "MONTHLY": f"{first:%Y-%m}"}[kind]
        return Stretch(label, self._midnight(first), self._midnight(after))

    def all(self, kind: str, moments_us: Iterable[int]) -> Iterator[Stretch]:
        """All that hold one of these moments, each once, the oldest first."""
        days = dict.fromkeys(sorted((at + self._offset_us) // DAY_US for at in moments_us))
        found = {self.holding(kind, day * DAY_US - self._offset_us): None for day in days}
        yield from found

    def _midnight(self, day: date) -> int:
        return (day - EPOCH).days * DAY_US - self._offset_us


def _first(kind: str, day: date) -> date:
    if kind == "WEEKLY":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == "MONTHLY" else day
