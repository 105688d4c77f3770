"""When a rule is in force: dates that are over or off by a day, and hours that never come."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from loyalty.core import calendar
from loyalty.core.findings import Finding, error, warning
from loyalty.earning.checks.proposal import Proposal
from loyalty.earning.rules import WEEKDAYS, EarningRule, TimeWindow

A_DAY = timedelta(days=1)
# In eight days every hour of the week comes, whatever clocks do.
EVERY_HOUR = timedelta(days=8)
MINUTES_A_DAY = 24 * 60
MINUTES_A_WEEK = 7 * MINUTES_A_DAY


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the times of each rule."""
    zone = proposal.program.time_zone
    for number, rule in enumerate(proposal.rules):
        if rule.valid_to is not None and rule.valid_to <= proposal.now:
            detail = f"It ended on {written(rule.valid_to, zone)} and gives nothing to new orders. Leave it out."
            yield warning("over", detail, "rules", number, "valid_to")
        yield from edges(rule.valid_from, rule.valid_to, zone, "rules", number)
        yield from _windows_outside(number, rule, zone)
        yield from _windows_overlapping(number, rule)


def edges(begin: datetime | None, end: datetime | None, zone: str, *at: object) -> Iterator[Finding]:
    """Dates that are midnight elsewhere, or leave out the day they name."""
    for field, instant in (("valid_from", begin), ("valid_to", end)):
        if instant is None:
            continue
        local = instant.astimezone(calendar.zone(zone))
        day = calendar.local_date(instant, zone)
        if instant.astimezone(UTC).time() == time.min and local.time() != time.min:
            there = datetime.combine(instant.astimezone(UTC), time.min, calendar.zone(zone)).isoformat()
            detail = f"That is {local:%H:%M} on the clocks of {zone}. For midnight there, write {there}."
            yield warning("midnight-elsewhere", detail, *at, field)
        if field == "valid_to" and local.time() == time.min and day == calendar.end_of_period(day, "month"):
            after = calendar.midnight(calendar.day_after(day), zone).astimezone(calendar.zone(zone)).isoformat()
            detail = f"It ends when {day} begins, so that day is left out. To include it, write {after}."
            yield warning("last-day-left-out", detail, *at, field)


def _windows_outside(number: int, rule: EarningRule, zone: str) -> Iterator[Finding]:
    """Windows that never come between the dates of the rule."""
    begin, end = rule.valid_from, rule.valid_to
    if begin is None or end is None or end - begin >= EVERY_HOUR:
        return
    outside = [place for place, window in enumerate(rule.time_windows) if not _comes(window, begin, end, zone)]
    if outside and len(outside) == len(rule.time_windows):
        detail = "None of its hours comes between valid_from and valid_to, so it never gives anything. Change either."
        yield error("never-open", detail, "rules", number, "time_windows")
        return
    for place in outside:
        detail = "These hours do not come between valid_from and valid_to. Change either, or leave them out."
        yield warning("never-open", detail, "rules", number, "time_windows", place)


def _comes(window: TimeWindow, begin: datetime, end: datetime, zone: str) -> bool:
    """Whether any of a window lies between two instants. Hours that the clocks skip or repeat count at their widest."""
    day = calendar.local_date(begin, zone) - A_DAY
    while day <= calendar.local_date(end, zone):
        if not window.weekdays or WEEKDAYS[day.weekday()] in window.weekdays:
            is_night = window.end is not None and window.end <= window.begin
            last = calendar.day_after(day) if window.end is None or is_night else day
            opens = min(_instants(day, window.begin, zone))
            closes = max(_instants(last, window.end or time.min, zone))
            if opens < end and closes > begin:
                return True
        day = calendar.day_after(day)
    return False


def _instants(day: date, clock: time, zone: str) -> list[datetime]:
    """When a clock shows a time on a day: twice where it is set back."""
    return [datetime.combine(day, clock, calendar.zone(zone)).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


def _windows_overlapping(number: int, rule: EarningRule) -> Iterator[Finding]:
    """Windows of one rule that share hours: an order counts once, so one of them says too much."""
    stretches = sorted(
        stretch for place, window in enumerate(rule.time_windows) for stretch in _stretches(window, place)
    )
    overlapping: dict[int, int] = {}
    reach, widest = -1, -1
    for begin, end, place in stretches:
        if begin < reach and place != widest:
            overlapping.setdefault(max(place, widest), min(place, widest))
        if end > reach:
            reach, widest = end, place
    for place, other in sorted(overlapping.items()):
        detail = f"These hours overlap with those of window {other + 1}. That gives nothing twice: make them one."
        yield warning("overlapping-windows", detail, "rules", number, "time_windows", place)


def _stretches(window: TimeWindow, place: int) -> Iterator[tuple[int, int, int]]:
    """A window in minutes since Monday began; what passes the end of Sunday goes on on Monday."""
    begin = window.begin.hour * 60 + window.begin.minute
    end = MINUTES_A_DAY if window.end is None else window.end.hour * 60 + window.end.minute
    length = end - begin if end > begin else end - begin + MINUTES_A_DAY
    for weekday in sorted({WEEKDAYS.index(name) for name in window.weekdays or WEEKDAYS}):
        opens = weekday * MINUTES_A_DAY + begin
        closes = opens + length
        yield opens, min(closes, MINUTES_A_WEEK), place
        if closes > MINUTES_A_WEEK:
            yield 0, closes - MINUTES_A_WEEK, place


def written(instant: datetime, zone: str) -> str:
    """An instant on the clocks of a zone."""
    return f"{instant.astimezone(calendar.zone(zone)):%Y-%m-%d at %H:%M}"
