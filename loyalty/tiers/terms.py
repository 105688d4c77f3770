"""The calendar of a ladder: when a window begins, until when a tier is valid. Days of the program's zone. Pure.

Windows are half-open. What was bought on a day counts in a rolling window for as long as points of that day would live:
n months later through the end of the same day of the month, or of the last one. A membership year begins on the day of
the enrolment, which is 28 February where a year has no 29th.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from loyalty.core import calendar
from loyalty.core.calendar import add_months, day_after, end_of_period
from loyalty.tiers.domain import Grace, Ladder, Validity, Window

EVER = date.min
A_DAY = timedelta(days=1)
MONTHS_OF_A_YEAR = 12


def window_begin(window: Window, day: date, enrolled_on: date) -> date:
    """The first day that counts on `day`."""
    if window.mode == "lifetime":
        return EVER
    if window.mode == "rolling":
        return _rolling_begin(window, day)
    return period_of(window, day, enrolled_on)[0]


@lru_cache(maxsize=4096)
def _rolling_begin(window: Window, day: date) -> date:
    """The first day from which so many months and days do not end before `day`."""
    back = add_months(day - timedelta(days=window.days), -window.months)
    while _lasts_until(window, back) < day:
        back += A_DAY
    while _lasts_until(window, back - A_DAY) >= day:
        back -= A_DAY
    return back


def _lasts_until(window: Window, day: date) -> date:
    return add_months(day, window.months) + timedelta(days=window.days)


def period_of(window: Window, day: date, enrolled_on: date) -> tuple[date, date]:
    """The period of a window that contains `day`, and the day on which the next one begins.

    Where windows know no periods, those of the calendar year.
    """
    if window.mode == "membership_year":
        years = day.year - enrolled_on.year
        begin = add_months(enrolled_on, MONTHS_OF_A_YEAR * years)
        if begin > day:
            years -= 1
            begin = add_months(enrolled_on, MONTHS_OF_A_YEAR * years)
        return begin, add_months(enrolled_on, MONTHS_OF_A_YEAR * (years + 1))
    if window.mode == "calendar_quarter":
        begin = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        return begin, day_after(end_of_period(day, "quarter"))
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


def valid_to(ladder: Ladder, day: date, enrolled_on: date) -> date | None:
    """The first day on which a tier reached on `day` is no longer valid; None: there is none that mattered."""
    if ladder.downgrade == "none":
        return None
    match ladder.validity.mode:
        case "months":
            return day_after(add_months(day, ladder.validity.months))
        case "end_of_period":
            return period_of(ladder.window, day, enrolled_on)[1]
        case "end_of_next_period":
            return period_of(ladder.window, period_of(ladder.window, day, enrolled_on)[1], enrolled_on)[1]
        case _:
            return None


def renewed_to(ladder: Ladder, ended: date, reached_on: date, enrolled_on: date, *, after: date) -> date | None:
    """Until when a tier is valid that was kept when its validity ended: as if reached on its last day.

    It lies after the day `after` on which that turned out. Months are counted from the day on which the tier was
    reached, so that a month that begins on a 31st ends on the last of each month.
    """
    validity: Validity = ladder.validity
    if validity.mode == "forever":
        return None
    end: date | None = ended
    while end is not None and end <= after:
        if validity.mode == "months":
            end = _next_anniversary(reached_on, validity.months, end)
        else:
            as_of_last_day = valid_to(ladder, end - A_DAY, enrolled_on)
            end = as_of_last_day if as_of_last_day != end else valid_to(ladder, end, enrolled_on)
    return end


def _next_anniversary(reached_on: date, months: int, after: date) -> date:
    passed = (after.year - reached_on.year) * MONTHS_OF_A_YEAR + after.month - reached_on.month
    times = max(1, passed // months - 1)
    while (end := day_after(add_months(reached_on, times * months))) <= after:
        times += 1
    return end


def held_to(grace: Grace, end: date) -> date:
    """The first day on which a tier whose validity ended is no longer held."""
    held = end + timedelta(days=grace.days)
    return day_after(end_of_period(held - A_DAY, "month")) if grace.round_to == "month" else held


def keep_begin(ladder: Ladder, end: date, enrolled_on: date) -> date:
    """The first day of what counts for keeping a tier whose validity ends on `end`.

    It is the window as of then; where that only begins then, the one before it, if reaching a tier on its last day
    would be valid for longer. If not, nothing that was bought before counts.
    """
    begin = window_begin(ladder.window, end, enrolled_on)
    last = end - A_DAY
    if begin == end and valid_to(ladder, last, enrolled_on) != end:
        return window_begin(ladder.window, last, enrolled_on)
    return begin


def instant(day: date, zone: str) -> datetime:
    """The instant at which a day of the zone begins."""
    return calendar.midnight(day, zone)
