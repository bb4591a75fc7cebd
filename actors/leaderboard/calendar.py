"""When the periods of a board begin and end, in the time zone of that board. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from actors.ports import Period, Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def span_of(period: Period, zone: tzinfo, moment_us: int) -> Span:
    """The period that holds a moment: a day, a week from Monday, or a month of the zone.

    The label is ``2026-11-22``, ``2026-W47`` (of ISO 8601) or ``2026-11``. A period begins when its first day does: at
    midnight; at the first one, where the clock is put back over it; where it is put forward over it, when it would have
    struck by the clock before. So the periods of a zone follow one another without a gap, whatever its clocks do.

    Raises ValueError for ALL_TIME, which has no end.
    """
    first = _first_day(period, (_EPOCH + moment_us * _MICROSECOND).astimezone(zone).date())
    while moment_us < _begins(first, zone):  # a clock that was put back over midnight shows the day before again
        first = _first_day(period, first - timedelta(days=1))
    while moment_us >= (end_us := _begins(behind := _next_first(period, first), zone)):
        first = behind
    return Span(_begins(first, zone), end_us, _label(period, first))


def spans_after(period: Period, zone: tzinfo, moment_us: int) -> Iterator[Span]:
    """The periods from the one that holds a moment on, one after the other, without an end."""
    while True:
        span = span_of(period, zone, moment_us)
        yield span
        moment_us = span.end_us


def _first_day(period: Period, day: date) -> date:
    match period:
        case Period.DAILY:
            return day
        case Period.WEEKLY:
            return day - timedelta(days=day.weekday())
        case Period.MONTHLY:
            return day.replace(day=1)
    raise ValueError(f"{period} has no periods")


def _next_first(period: Period, first: date) -> date:
    """The first day of the next period."""
    return _first_day(period, first + timedelta(days={Period.DAILY: 1, Period.WEEKLY: 7}.get(period, 31)))


def _begins(day: date, zone: tzinfo) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _label(period: Period, first: date) -> str:
    match period:
        case Period.DAILY:
            return first.isoformat()
        case Period.WEEKLY:
            return f"{first:%G-W%V}"
    return first.isoformat()[:7]
