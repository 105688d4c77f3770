"""Calendar arithmetic: month ends, leap days, days of 23 and 25 hours, zones whose clocks jump at midnight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.calendar import (
    PeriodEnd,
    add_months,
    day_after,
    day_in_year,
    end_of_period,
    local_date,
    midnight,
    zone,
)

INSTANT = timedelta(microseconds=1)

# The whole day of these was left out when the place moved across the date line: it has no instant at all.
LEFT_OUT = {date(1993, 8, 21), date(1994, 12, 31), date(2011, 12, 30)}

# Their clocks jump at, over or around midnight, by half an hour or more than once a year.
RESTLESS_ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Havana", "America/Nuuk", "America/Santiago",
    "America/Scoresbysund", "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran",
    "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Warsaw", "Pacific/Chatham",
]  # fmt: skip

days = st.dates(date(1970, 1, 2), date(2199, 12, 30)).filter(lambda day: day not in LEFT_OUT)
zones = st.sampled_from(sorted(available_timezones()))


@pytest.mark.parametrize(
    ("day", "months", "moved"),
    [
        (date(2026, 1, 25), 1, date(2026, 2, 25)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_that_there_is(day: date, months: int, moved: date):
    assert add_months(day, months) == moved


@pytest.mark.parametrize(
    ("day", "period", "end"),
    [
        (date(2026, 2, 1), "month", date(2026, 2, 28)),
        (date(2028, 2, 1), "month", date(2028, 2, 29)),
        (date(2026, 12, 31), "month", date(2026, 12, 31)),
        (date(2026, 1, 1), "quarter", date(2026, 3, 31)),
        (date(2026, 3, 31), "quarter", date(2026, 3, 31)),
        (date(2026, 4, 1), "quarter", date(2026, 6, 30)),
        (date(2026, 11, 5), "quarter", date(2026, 12, 31)),
        (date(2026, 6, 30), "half_year", date(2026, 6, 30)),
        (date(2026, 7, 1), "half_year", date(2026, 12, 31)),
        (date(2026, 1, 1), "year", date(2026, 12, 31)),
    ],
)
def test_a_period_ends_with_the_calendar(day: date, period: PeriodEnd, end: date):
    assert end_of_period(day, period) == end


@pytest.mark.parametrize(
    ("year", "written", "day"),
    [
        (2026, "12-31", date(2026, 12, 31)),
        (2026, "06-30", date(2026, 6, 30)),
        (2028, "02-29", date(2028, 2, 29)),
        (2026, "02-29", date(2026, 2, 28)),
        (2100, "02-29", date(2100, 2, 28)),
    ],
)
def test_a_date_that_a_year_lacks_is_the_last_of_its_month(year: int, written: str, day: date):
    assert day_in_year(year, written) == day


def test_the_day_after_the_last_of_february_is_the_first_of_march():
    assert day_after(date(2026, 2, 28)) == date(2026, 3, 1)
    assert day_after(date(2028, 2, 28)) == date(2028, 2, 29)


def test_the_date_is_that_on_the_wall_of_the_zone():
    instant = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    assert local_date(instant, "UTC") == date(2026, 3, 1)
    assert local_date(instant, "Europe/Warsaw") == date(2026, 3, 2)
    assert local_date(instant, "America/New_York") == date(2026, 3, 1)


def test_a_zone_that_does_not_exist_is_an_error():
    with pytest.raises((LookupError, ValueError)):
        zone("Europe/Atlantis")


def test_midnight_is_that_of_the_zone_written_in_utc():
    first = midnight(date(2026, 3, 1), "Europe/Warsaw")

    assert first == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert first.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("Europe/Warsaw", date(2026, 3, 28), 24),
        ("Europe/Warsaw", date(2026, 3, 29), 23),
        ("Europe/Warsaw", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("America/Santiago", date(2026, 4, 4), 25),
        ("Asia/Beirut", date(2026, 10, 24), 25),
        ("America/Havana", date(2026, 11, 1), 25),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_however_long_that_is(zone_name: str, day: date, hours: float):
    assert midnight(day_after(day), zone_name) - midnight(day, zone_name) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone_name", "day"),
    [
        ("America/Santiago", date(2026, 9, 6)),
        ("Asia/Beirut", date(2026, 3, 29)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/Havana", date(2026, 3, 8)),
        ("Atlantic/Azores", date(2026, 3, 29)),
    ],
)
def test_where_the_clocks_jump_over_midnight_the_day_begins_with_the_jump(zone_name: str, day: date):
    begin = midnight(day, zone_name)

    wall = begin.astimezone(ZoneInfo(zone_name))
    assert (wall.date(), wall.hour) == (day, 1)
    assert (begin - INSTANT).astimezone(ZoneInfo(zone_name)).hour == 23


def test_where_midnight_comes_twice_the_first_begins_the_day():
    # Havana: at 01:00 of 1 November 2026 the clocks go back to 00:00.
    assert midnight(date(2026, 11, 1), "America/Havana") == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_a_day_that_was_left_out_begins_and_ends_with_the_next():
    # Samoa went from 29 to 31 December 2011.
    assert midnight(date(2011, 12, 30), "Pacific/Apia") == midnight(date(2011, 12, 31), "Pacific/Apia")


@settings(max_examples=400, deadline=None)
@given(days, zones)
def test_midnight_is_the_first_instant_of_its_day(day: date, zone_name: str):
    assert_first_instant(day, zone_name)


@pytest.mark.parametrize("zone_name", RESTLESS_ZONES)
def test_midnight_is_the_first_instant_of_every_day_of_restless_zones(zone_name: str):
    for number in range(2 * 366):
        assert_first_instant(date(2025, 12, 31) + timedelta(days=number), zone_name)


@given(days, st.integers(0, 1200))
def test_whole_months_later_lies_that_many_months_ahead(day: date, months: int):
    moved = add_months(day, months)

    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and day_after(moved).day == 1)


@given(days, st.sampled_from(["month", "quarter", "half_year", "year"]))
def test_the_end_of_a_period_is_its_last_day_whichever_of_its_days_is_asked(day: date, period: PeriodEnd):
    end = end_of_period(day, period)

    assert end >= day
    assert end_of_period(end, period) == end
    assert end_of_period(day_after(end), period) > end
    assert day_after(end).day == 1


def assert_first_instant(day: date, zone_name: str) -> None:
    first = midnight(day, zone_name)
    assert local_date(first, zone_name) == day
    # An hour before, and less, it is still the day before, also where the clocks are about to go back.
    for before in (INSTANT, timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)):
        assert local_date(first - before, zone_name) < day
