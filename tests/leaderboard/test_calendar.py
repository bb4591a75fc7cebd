from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.calendar import span_of, spans_after
from actors.ports import Period, Span

HOUR_US = 3_600_000_000
#: Clocks that are put on at midnight, back over midnight, by half an hour, never; and one that left out a day.
ZONES = [
    ZoneInfo(name)
    for name in (
        *("UTC", "Europe/London", "Africa/Casablanca", "America/Sao_Paulo", "America/St_Johns", "America/Toronto"),
        *("Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati"),
    )
]
PERIODS = st.sampled_from([Period.DAILY, Period.WEEKLY, Period.MONTHLY])
MOMENTS = st.integers(0, 4_102_444_800_000_000)  # 1970 to 2100


def moment(text: str, zone: str = "UTC") -> int:
    """Microseconds of a local time, of the first where there are two."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def hours(span: Span) -> float:
    """How long it is."""
    return (span.end_us - span.start_us) / HOUR_US


def local(moment_us: int, zone: ZoneInfo) -> datetime:
    """What the clock shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)).astimezone(zone)


@given(PERIODS, st.sampled_from(ZONES), MOMENTS)
def test_the_periods_of_a_zone_follow_one_another_without_a_gap(period: Period, zone: ZoneInfo, at_us: int) -> None:
    """Every moment lies in exactly one, and each has a name of its own, in order."""
    span = span_of(period, zone, at_us)
    assert span.holds(at_us)
    after, before = span_of(period, zone, span.end_us), span_of(period, zone, span.start_us - 1)
    assert (before.end_us, span.end_us) == (span.start_us, after.start_us)
    assert before.label < span.label < after.label
    assert span == span_of(period, zone, span.start_us) == span_of(period, zone, span.end_us - 1)


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_moment_counts_for_the_day_that_the_calendar_on_the_wall_shows(zone: ZoneInfo, at_us: int) -> None:
    """But for the hour in which a clock that was put back over midnight shows the day before once more.

    And for the minutes behind a midnight that was left out: the new day begins when that would have struck.
    """
    shown, counted = local(at_us, zone).date(), date.fromisoformat(span_of(Period.DAILY, zone, at_us).label)
    if shown < counted:
        assert local(at_us - HOUR_US, zone).date() == counted
    if shown > counted:
        assert span_of(Period.DAILY, zone, at_us + HOUR_US).label == shown.isoformat()


@given(st.sampled_from(ZONES), MOMENTS)
def test_weeks_and_months_are_whole_days(zone: ZoneInfo, at_us: int) -> None:
    """A week has seven, from Monday; a month all that bear its name."""
    for period in (Period.WEEKLY, Period.MONTHLY):
        span = span_of(period, zone, at_us)
        days: list[date] = []
        for day in spans_after(Period.DAILY, zone, span.start_us):
            if day.start_us == span.end_us:
                break
            days.append(date.fromisoformat(day.label))
        assert {day.isoformat()[:7] for day in days} == {span.label} or period == Period.WEEKLY
        assert {"{:04}-W{:02}".format(*day.isocalendar()) for day in days} == {span.label} or period == Period.MONTHLY
        assert span.holds(at_us)


@pytest.mark.parametrize(
    ("day", "zone", "long"),
    [
        ("2026-03-29", "Europe/London", 23),
        ("2026-10-25", "Europe/London", 25),
        ("2018-11-04", "America/Sao_Paulo", 23),
        ("2018-02-17", "America/Sao_Paulo", 25),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        ("2026-11-22", "Asia/Kathmandu", 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(day: str, zone: str, long: float) -> None:
    """23 to 25 hours, and by half an hour where half an hour is usual."""
    span = span_of(Period.DAILY, ZoneInfo(zone), moment(f"{day}T12:00", zone))
    assert (span.label, hours(span)) == (day, long)


def test_a_day_that_begins_without_a_midnight_begins_an_hour_late_on_the_clock() -> None:
    """The clock goes from 23:59 to 01:00, and no time passes between."""
    span = span_of(Period.DAILY, ZoneInfo("America/Sao_Paulo"), moment("2018-11-04T12:00", "America/Sao_Paulo"))
    assert local(span.start_us, ZoneInfo("America/Sao_Paulo")).isoformat() == "2018-11-04T01:00:00-02:00"


def test_a_midnight_that_comes_twice_begins_the_day_once() -> None:
    """The clock of Newfoundland used to be put back by an hour at one minute past midnight."""
    zone = ZoneInfo("America/St_Johns")
    begun = span_of(Period.DAILY, zone, moment("2010-11-07T00:00:30", "America/St_Johns"))
    again = begun.start_us + 30 * 60_000_000
    assert local(again, zone).isoformat() == "2010-11-06T23:30:00-03:30"
    assert span_of(Period.DAILY, zone, again) == begun
    assert (begun.label, hours(begun)) == ("2010-11-07", 25)


def test_a_day_that_a_country_left_out_has_no_period() -> None:
    """Samoa went from the 29th to the 31st."""
    zone = ZoneInfo("Pacific/Apia")
    labels = [span.label for span in islice(spans_after(Period.DAILY, zone, moment("2011-12-29T12:00", zone.key)), 3)]
    assert labels == ["2011-12-29", "2011-12-31", "2012-01-01"]


@pytest.mark.parametrize(
    ("period", "at", "label", "start", "end"),
    [
        (Period.DAILY, "2026-12-31T23:59:59", "2026-12-31", "2026-12-31", "2027-01-01"),
        (Period.MONTHLY, "2026-12-31T23:59:59", "2026-12", "2026-12-01", "2027-01-01"),
        (Period.MONTHLY, "2028-02-29T00:00:00", "2028-02", "2028-02-01", "2028-03-01"),
        (Period.WEEKLY, "2026-11-22T12:00:00", "2026-W47", "2026-11-16", "2026-11-23"),
        (Period.WEEKLY, "2027-01-03T23:59:59", "2026-W53", "2026-12-28", "2027-01-04"),
        (Period.WEEKLY, "2024-12-30T00:00:00", "2025-W01", "2024-12-30", "2025-01-06"),
    ],
)
def test_the_ends_of_months_and_years_and_the_weeks_of_the_standard(
    period: Period, at: str, label: str, start: str, end: str
) -> None:
    """A week belongs to the year that has its Thursday."""
    assert span_of(period, ZoneInfo("UTC"), moment(at)) == Span(moment(start), moment(end), label)


def test_all_time_has_no_periods() -> None:
    """Whoever asks has made a mistake."""
    with pytest.raises(ValueError, match="all_time has no periods"):
        span_of(Period.ALL_TIME, UTC, 0)
