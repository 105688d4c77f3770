"""Days, ISO weeks, months, quarters and years of a calendar. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from loyalty.core.calendar import add_months
from loyalty.kpis.domain import Granularity, Period

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def periods(first: date, last: date, granularity: Granularity) -> tuple[Period, ...]:
    """The periods that the days from `first` until before `last` are in; the first and the last may be cut off."""
    return tuple(_periods(first, last, granularity))


def _periods(first: date, last: date, granularity: Granularity) -> Iterator[Period]:
    begins = beginning(first, granularity)
    while begins < last:
        ends = following(begins, granularity)
        yield Period(label(begins, granularity), max(begins, first), min(ends, last))
        begins = ends


def beginning(day: date, granularity: Granularity) -> date:
    """The first day of the period that a day is in."""
    match granularity:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "year":
            return date(day.year, 1, 1)


def following(begins: date, granularity: Granularity) -> date:
    """The first day of the period after the one that begins on a day."""
    if granularity == "day":
        return begins + timedelta(days=1)
    if granularity == "week":
        return begins + timedelta(weeks=1)
    return add_months(begins, _MONTHS[granularity])


def is_whole(period: Period, granularity: Granularity) -> bool:
    """Whether a period is not cut off."""
    begins = beginning(period.first, granularity)
    return (period.first, period.last) == (begins, following(begins, granularity))


def label(begins: date, granularity: Granularity) -> str:
    """What the period is called that begins on a day: 2026-03-01, 2026-W10, 2026-03, 2026-Q1, 2026."""
    match granularity:
        case "day":
            return begins.isoformat()
        case "week":
            year, week, _ = begins.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{begins:%Y-%m}"
        case "quarter":
            return f"{begins.year}-Q{(begins.month + 2) // 3}"
        case "year":
            return str(begins.year)


def previous(first: date, last: date, granularity: Granularity) -> tuple[date, date]:
    """As many days, or as many whole months where these are whole, right before."""
    if granularity in _MONTHS and first.day == 1 and last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        return add_months(first, -months), first
    return first - (last - first), first
