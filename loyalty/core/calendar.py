"""Calendar arithmetic in a program's time zone.

Days, months and years are calendar facts of a place: "one month later" is a date, not a number of seconds, and
a day of 23 or 25 hours is still one day. Every function takes aware instants and returns aware instants in UTC.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

PeriodEnd = Literal["month", "quarter", "half_year", "year"]

MONTHS_IN: dict[PeriodEnd, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name`. Raises ZoneInfoNotFoundError or ValueError when there is none."""
    return ZoneInfo(name)


def local_date(instant: datetime, zone_name: str) -> date:
    """The date on the wall of the program's zone at `instant`."""
    return instant.astimezone(zone(zone_name)).date()


@lru_cache(maxsize=4096)
def midnight(day: date, zone_name: str) -> datetime:
    """The first instant of `day` in the zone, in UTC.

    Where the clocks jump over midnight, the day begins at the instant of the jump.
    """
    # A midnight that does not exist is read by the offset before the jump, which is the jump itself; one that comes
    # twice is the first (PEP 495, fold=0).
    return datetime.combine(day, time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def at(day: date, wall: time, zone_name: str) -> datetime:
    """The instant at which the clocks of the zone show `wall` on `day`, in UTC.

    An hour that comes twice is the first one; one that is jumped over is as much later as the clocks jump.
    """
    return datetime.combine(day, wall, tzinfo=zone(zone_name)).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """`day` moved by whole months; a day that the target month lacks becomes its last day (31 Jan + 1 = 28/29 Feb)."""
    index = day.year * 12 + (day.month - 1) + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def end_of_period(day: date, period: PeriodEnd) -> date:
    """The last day of the calendar month, quarter, half-year or year that contains `day`."""
    length = MONTHS_IN[period]
    last_month = ((day.month - 1) // length + 1) * length
    return date(day.year, last_month, monthrange(day.year, last_month)[1])


def day_after(day: date) -> date:
    """The next day of the calendar."""
    return day + timedelta(days=1)


def day_in_year(year: int, month_day: str) -> date:
    """The date "MM-DD" of a year; 02-29 is the last of February where the year has no such day."""
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))
